"""The locks hold what pyproject.toml requires, with hashes and without addresses."""

import re
import tomllib
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fairground
from tests.architecture.sources import ROOT

LOCKS: Final = ("run", "dev", "build", "uv")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_the_lock_is_pinned_and_hashed(lock: str) -> None:
    entries = _entries(lock)
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert not re.search(r"://|--index|--find-links|\s@\s", _text(lock))


@pytest.mark.parametrize(("lock", "groups"), [("run", []), ("dev", ["dev"])])
def test_lock_holds_the_requirements_of_pyproject(lock: str, groups: list[str]) -> None:
    required = _pyproject()["project"]["dependencies"] + [
        line for group in groups for line in _pyproject()["dependency-groups"][group]
    ]
    pinned = _pinned(lock)
    missing = [
        line
        for line in map(Requirement, required)
        if not line.specifier.contains(pinned.get(canonicalize_name(line.name), "0"), prereleases=True)
    ]
    assert missing == [], "Run `make lock`."


def test_developers_run_what_users_run() -> None:
    developers = _pinned("dev")
    assert {name: developers.get(name) for name in _pinned("run")} == _pinned("run")


def test_the_build_tool_is_the_one_that_installs() -> None:
    (backend,) = _pyproject()["build-system"]["requires"]
    assert Requirement(backend).specifier.contains(_pinned("uv")["uv"]), "uv would fetch another one, unhashed."


def test_version_in_pyproject_is_that_of_the_package() -> None:
    assert _pyproject()["project"]["version"] == fairground.__version__


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def _entries(lock: str) -> list[str]:
    """Return one text per package, with its hashes."""
    return [entry for entry in re.split(r"\n(?=\S)", _text(lock)) if entry.strip() and not entry.startswith("#")]


def _pinned(lock: str) -> dict[str, str]:
    return {
        canonicalize_name(found["name"]): found["version"]
        for entry in _entries(lock)
        if (found := re.match(r"(?P<name>[\w.-]+)(\[.*?\])?==(?P<version>\S+)", entry))
    }
