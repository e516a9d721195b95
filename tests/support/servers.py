"""Real server processes: started on a free port, called over HTTP, stopped or killed."""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support import processes, server_process

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
_ADDRESS: Final = re.compile(r"Fairground is at (http://\S+)")


class Installation:
    """A database and a data folder, which servers and commands share."""

    def __init__(self, *, database_url: str, data_dir: Path, **settings: str) -> None:
        self.database_url = database_url
        self.data_dir = data_dir
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._settings = settings

    def environment(self) -> dict[str, str]:
        """Return the variables that a process gets; a port of 0 is a free one."""
        return {
            "FAIRGROUND_DATABASE_URL": self.database_url,
            "FAIRGROUND_DATA_DIR": str(self.data_dir),
            "FAIRGROUND_HTTP_PORT": "0",
            **self._settings,
        }

    def run(self, *arguments: str, seconds: float = 120, **changes: Any) -> "Ended":
        """Run `fairground …` to its end."""
        command = self.start(*arguments, **changes)
        command.process.join(timeout=seconds)
        command.process.kill()
        command.process.join()
        return Ended(command.process.exitcode, command.log.read_text())

    def start(self, *arguments: str, **changes: Any) -> "Started":
        """Start `fairground …`. For `changes` see `server_process.run`."""
        log = self._new_log(arguments[0])
        process = processes.start(
            server_process.run, arguments=list(arguments), environment=self.environment(), log=log, **changes
        )
        return Started(process, log)

    def _new_log(self, command: str) -> Path:
        number = len(list(self.data_dir.glob("*.log"))) + 1
        log = self.data_dir / f"{number}-{command}.log"
        log.touch()
        return log

    @contextlib.contextmanager
    def serving(self, **changes: Any) -> Iterator["ServerProcess"]:
        """Give a server that is ready; nothing is left of it afterwards. For `changes` see `server_process.run`."""
        server = ServerProcess(self.start("serve", **changes))
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.kill()


@dataclass(frozen=True)
class Started:
    process: ForkServerProcess
    log: Path
    """Gets both streams."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    exit_code: int | None
    """None for one that did not end in time."""
    output: str
    """Both streams."""


class ServerProcess:
    """One process of `fairground serve`."""

    def __init__(self, started: Started) -> None:
        self._process = started.process
        self._log = started.log
        self.url = ""

    @property
    def process_id(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def children(self) -> list[int]:
        """Return the ids of the processes that it has started and that still run."""
        own = Path(f"/proc/{self.process_id}/task/{self.process_id}/children")
        return [int(child) for child in own.read_text().split()]

    def wait_until_ready(self) -> None:
        self.url = self._wait_for_address()
        answer = httpx.get(f"{self.url}/readyz", timeout=START_SECONDS)
        assert answer.status_code == 200, answer.text

    def _wait_for_address(self) -> str:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if found := _ADDRESS.search(self.log()):
                return found[1]
            if self._process.exitcode is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"The server did not start:\n{self.log()}")

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> int | None:
        """Ask it to stop, and return its exit code; None when it did not stop in time."""
        self._process.terminate()
        self._process.join(timeout=STOP_SECONDS)
        return self._process.exitcode

    def kill(self) -> None:
        """Kill it, if it still runs, as `kill -9` does."""
        self._process.kill()
        self._process.join()

    def was_killed(self, *, within_seconds: float = 5) -> bool:
        self._process.join(timeout=within_seconds)
        return self._process.exitcode == -9

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid
