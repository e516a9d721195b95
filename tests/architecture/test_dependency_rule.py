"""The dependency rule of pyproject.toml, broken on purpose: a contract that matches nothing would always pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import PACKAGE, ROOT

ROOMS: Final = ("module", "http", "handlers", "service", "store", "gateways", "tables", "domain", "settings")
BREACHES: Final = {
    "Layers point downwards": ("platform/probe.py", "from fairground.modules.left import service"),
    "Modules do not know each other": ("modules/left/service.py", "from fairground.modules.right import service"),
    "Inside a module, calls go downwards": ("modules/left/domain.py", "from fairground.modules.left import store"),
    "Deals know time, time knows no deals": (
        "modules/booking/time/hours.py",
        "from fairground.modules.booking.deals import holds",
    ),
    "Time knows no money": ("modules/booking/time/hours.py", "from fairground.contracts.payments import Payments"),
    "Inside time and deals, calls go downwards": (
        "modules/booking/deals/domain/record.py",
        "from fairground.modules.booking.deals import store",
    ),
    "Only stores and tables speak SQL": ("modules/left/service.py", "import sqlalchemy"),
    "Only payments puts the sandbox together": (
        "modules/payments/service/queries.py",
        "from fairground.sandbox.stripe import sandbox",
    ),
    "Domain rules are pure": ("modules/left/domain.py", "import httpx"),
    "The kernel does no I/O": ("kernel/probe.py", "import httpx"),
    "No cycles anywhere": (
        "platform/probe.py",
        "from fairground.platform.probes import one",
    ),
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Give a copy of the package that has two empty modules besides."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "fairground"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("left", "right"):
        folder = package / "modules" / module
        folder.mkdir(parents=True)
        for room in ("__init__", *ROOMS):
            (folder / f"{room}.py").touch()
    (package / "modules" / "__init__.py").touch()
    (package / "platform" / "probes").mkdir()
    (package / "platform" / "probes" / "__init__.py").touch()
    (package / "platform" / "probes" / "one.py").write_text("from fairground.platform import probe\n")
    (package / "platform" / "probe.py").touch()
    return tmp_path


def test_two_modules_that_keep_to_themselves_break_nothing(copied: Path) -> None:
    assert _broken(copied) == set()


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_noticed(contract: str, copied: Path) -> None:
    file, line = BREACHES[contract]
    with (copied / "src" / "fairground" / file).open("a") as source:
        source.write(f"{line}\n")
    assert contract in _broken(copied)


def _broken(folder: Path) -> set[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    checked = subprocess.run(
        [linter, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert "Contracts:" in checked.stdout, checked.stdout + checked.stderr
    return set(re.findall(r"^(.+) BROKEN$", checked.stdout, flags=re.MULTILINE))
