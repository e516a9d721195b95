import contextlib
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.entrypoints.cli.conftest import CommandLine

MAP = """
source = "club-list"
currency = "EUR"
[fields]
external_id = { column = "id" }
business_name = { column = "name" }
location = { value = "Oslo, Norway" }
categories = { value = "pianist" }
price = { column = "price" }
"""
ROWS = "id,name,price\n1,Blå Time,450\n2,,450\n3,Solo,a lot\n"


@pytest.fixture
def listed(installed: CommandLine) -> CommandLine:
    (installed.folder / "MAP.toml").write_text(MAP)
    (installed.folder / "acts.csv").write_text(ROWS)
    return installed


def providers(file: str = "acts.csv", *, vertical: str = "artists", map_file: str = "MAP.toml") -> list[str]:
    return ["import", "providers", file, "--vertical", vertical, "--map", map_file]


def test_a_rehearsal_names_the_bad_rows_and_writes_nothing_into_the_database(listed: CommandLine) -> None:
    shown = listed(*providers(), "--dry-run")
    assert shown.code == 1
    assert shown.err.splitlines() == [
        "line 3, name: it is empty; fill it in, or give business_name a default in the map.",
        "line 4, price: 'a lot' is not a number; write it like 1250.50, without other characters.",
    ]
    assert shown.out.startswith("read 3 = to import 1 + updated 0 + unchanged 0 + rejected 2, in ")
    assert listed(*providers()).out.startswith("read 3 = created 1 +")


def test_rejected_rows_are_corrected_and_fed_back(listed: CommandLine) -> None:
    shown = listed(*providers())
    assert "Correct the rejected rows in acts.rejected.csv and import that file." in shown.out
    rejected = listed.folder / "acts.rejected.csv"
    assert rejected.read_text() == "id,name,price\n2,,450\n3,Solo,a lot\n"
    rejected.write_text(rejected.read_text().replace("2,,", "2,Duo,").replace("a lot", "90"))
    again = listed(*providers("acts.rejected.csv"))
    assert again.code == 0
    assert again.out.startswith("read 2 = created 2 + updated 0 + unchanged 0 + rejected 0, in ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (providers("none.csv"), "Can't read none.csv: No such file or directory. Check the file name."),
        (providers(vertical="plumbers"), "Unknown vertical 'plumbers'. Choose one of artists, chefs, tutors."),
        (providers(map_file="none.toml"), "Can't read the map none.toml: No such file or directory."),
        (providers("MAP.toml"), "MAP.toml ends in '.toml'. Use .csv, .jsonl or .json, depending on its content."),
    ],
)
def test_an_import_that_cannot_begin_says_why(listed: CommandLine, arguments: list[str], said: str) -> None:
    assert listed(*arguments).refusal.startswith(said)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("source = ", "The map MAP.toml is not valid TOML: "),
        ("x = 1", "The map MAP.toml is wrong at source: "),
        (MAP.replace('"name"', '"title"'), "In the map, business_name uses the column 'title', which the file doesn't"),
        (MAP.replace("EUR", "NOK"), "The map's prices are in NOK, but this installation uses EUR."),
    ],
)
def test_a_bad_map_is_refused_before_anything_is_written(listed: CommandLine, wrong: str, said: str) -> None:
    Path("MAP.toml").write_text(wrong)
    assert listed(*providers()).refusal.startswith(said)


def test_on_a_terminal_a_bar_shows_how_far_it_is(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "MAP.toml").write_text(MAP)
    (tmp_path / "acts.csv").write_text(ROWS)
    shutil.copy(sqlite_template, tmp_path / "fairground.db")
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from fairground.entrypoints.cli import main; main()"]
    env = os.environ | {"FAIRGROUND_DATA_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([*program, *providers()], cwd=tmp_path, env=env, stderr=theirs) as process:
        os.close(theirs)
        shown = _read_until_closed(ours)
    assert process.returncode == 1
    assert "100%  3 rows" in shown
    assert "line 3, name: it is empty" in shown


def _read_until_closed(terminal: int) -> str:
    """Read while it is written to: a terminal holds little, and who writes more than that waits for a reader."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as reader, contextlib.suppress(OSError):  # Linux's word for "closed"
        while chunk := reader.read(4096):
            shown += chunk
    return shown.decode()
