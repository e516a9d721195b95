"""Time zones come from `kernel.zones` alone, and no code depends on the zone of the machine."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import PACKAGE, python_files, shown, tree_of

HOME: Final = PACKAGE / "kernel" / "zones.py"
PACKAGES: Final = ("zoneinfo", "dateutil.tz", "dateutil.zoneinfo", "pytz", "tzlocal")
# From other packages: by the rules, or in the zone, of the machine.
NAMES: Final = frozenset({"get_timezone", "LOCALTZ", "add_missing_timezones", "from_tzid", "localtime"})

# Tests that play a machine with other rules, with the reason.
PLAYS_A_MACHINE: Final[dict[str, str]] = {}


def test_only_the_kernel_names_a_source_of_zones() -> None:
    found = {shown(file): uses for file in python_files() if file != HOME and (uses := list(_uses(tree_of(file))))}
    assert {file: uses for file, uses in found.items() if file not in PLAYS_A_MACHINE} == {}, "Use kernel.zones."
    assert set(PLAYS_A_MACHINE) <= set(found), "An exception that is no longer needed must go."
    assert list(_uses(tree_of(HOME))), "The rule finds nothing even where a source is named."


@pytest.mark.parametrize(
    "source",
    [
        "import zoneinfo",
        "from zoneinfo import ZoneInfo",
        "import dateutil.tz",
        "from dateutil import tz",
        "from dateutil.tz import gettz",
        "import pytz",
        "from babel.dates import get_timezone",
        "import babel.dates\nbabel.dates.get_timezone('Europe/Oslo')",
        "calendar.add_missing_timezones()",
        "at.astimezone()",
        "at.astimezone(None)",
        "time.localtime()",
    ],
)
def test_source_or_local_time_is_noticed(source: str) -> None:
    assert list(_uses(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["at.astimezone(UTC)", "at.astimezone(get_zone(name))", "at.astimezone(tz=UTC)", '"zoneinfo"']
)
def test_explicit_zone_passes(source: str) -> None:
    assert not list(_uses(ast.parse(source)))


def _uses(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_source(alias.name))
        elif isinstance(node, ast.ImportFrom):
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (path for path in paths if _is_source(path) or path.rpartition(".")[2] in NAMES)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_local(node, node.func.attr):
            yield node.func.attr


def _is_source(path: str) -> bool:
    return any(f"{path}.".startswith(f"{package}.") for package in PACKAGES)


def _is_local(call: ast.Call, name: str) -> bool:
    zones = [*call.args, *(keyword.value for keyword in call.keywords)]
    has_zone = any(not (isinstance(zone, ast.Constant) and zone.value is None) for zone in zones)
    return name in NAMES or (name == "astimezone" and not has_zone)


def test_every_file_is_read() -> None:
    assert Path(__file__) in python_files()
    assert HOME in python_files()
