"""The command line as its users have it: arguments and environment in, two streams and a code out."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from fairground.entrypoints.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one sentence that a mistake prints, without its prefix."""
        assert self.code == 2, self
        assert self.out == ""
        assert self.err.startswith("fairground: ")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("fairground: ").strip()


class CommandLine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self._monkeypatch.setenv(f"FAIRGROUND_{name}", value)

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = self._capsys.readouterr()
        return Outcome(ended.value.code or 0, out, err)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Take back what a command says about logs, which holds for its whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def cli(
    _logs_as_they_were: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> CommandLine:
    """Run commands on an installation that is not there yet."""
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsys, tmp_path)


@pytest.fixture
def installed(cli: CommandLine, migrated_url: str) -> CommandLine:
    """Run commands on an installation with every table and no rows, once on each database."""
    cli.set(DATABASE_URL=migrated_url)
    return cli
