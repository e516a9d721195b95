"""How a benchmark records what it has measured, and how a run becomes a file.

`record.compare` takes the costs of two sides in the same rounds, `record.note` a number that is compared with nothing.
`--results FOLDER` writes the file of the run, as `make bench` does; without it the tables are only printed.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.calibration import Calibration, Machine, calibrate, describe_machine
from benchmarks.results import Recorder, Run, today
from tests.conftest import SERVERS
from tests.support.proofs import IS_FULL
from tools.benchmarks_page import render_calibration, render_tables

MACHINE: Final = pytest.StashKey[Machine]()
CALIBRATION: Final = pytest.StashKey[Calibration]()
RECORDER: Final = pytest.StashKey[Recorder]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, help="the folder that gets the file of this run")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RECORDER] = Recorder()


@pytest.fixture(scope="session", autouse=True)
def calibration(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Describe the machine and calibrate before anything is measured."""
    stash = request.config.stash
    stash[MACHINE] = describe_machine()
    stash[CALIBRATION] = calibrate(tmp_path_factory.mktemp("calibration"))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Recorder:
    return request.config.stash[RECORDER]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if CALIBRATION not in config.stash:
        return
    reports = [report for kind in ("skipped", "failed", "error") for report in terminalreporter.stats.get(kind, [])]
    run = Run(
        made_on=today(),
        dose="full" if IS_FULL else "small",
        machine=config.stash[MACHINE],
        calibration=config.stash[CALIBRATION],
        software=_software(config),
        comparisons=config.stash[RECORDER].comparisons,
        facts=config.stash[RECORDER].facts,
        not_run=sorted({report.nodeid for report in reports}),
    )
    terminalreporter.section("compared")
    terminalreporter.write_line("\n".join([*render_calibration(run), *render_tables(run)]))
    if folder := config.getoption("--results"):
        path = folder / f"{run.made_on}-{run.dose}.json"
        run.write(path)
        terminalreporter.write_line(f"Written: {path}")


def _software(config: pytest.Config) -> dict[str, str]:
    """Return the versions of the servers that took part, without their ports."""
    described = {name: server.described() for name, server in config.stash[SERVERS].items()}
    return {name: words.partition(" on port")[0] for name, words in described.items() if words}
