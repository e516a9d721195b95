"""Servers of a whole test run: started for the first test that needs one, or by the controller for its workers."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from tools import postgres, redis, s3
from tools.guardian import Server

NO_SERVER = (postgres.NoPostgres, redis.NoRedis, s3.NoS3)


class SharedServer:
    """One server of one test run."""

    def __init__(self, running: Callable[[], AbstractContextManager[Server]], *, handed_down: Server | None) -> None:
        self._running = running
        self._server = handed_down
        self._stack = contextlib.ExitStack()

    def get(self) -> Server:
        if self._server is None:
            self._server = self._stack.enter_context(self._running())
        return self._server

    def described(self) -> str | None:
        """Return which server was used, or None if no test needed one."""
        return self._server.description if self._server else None

    def stop(self) -> None:
        self._stack.close()


def shared_servers(handed_down: dict[str, tuple[str, str]]) -> dict[str, SharedServer]:
    """Return each kind of server by its name.

    Args:
        handed_down: Address and description of those that the controller of the run has started.
    """
    kinds = {"PostgreSQL": postgres.running, "Redis": redis.running, "S3": s3.running}
    given = {name: Server(*words) for name, words in handed_down.items()}
    return {name: SharedServer(running, handed_down=given.get(name)) for name, running in kinds.items()}
