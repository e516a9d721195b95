"""Can the database be written to? Found out by writing, but not on every question."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from fairground.platform.db.common.tables import LimitRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable

GOOD_FOR_SECONDS: Final = 15.0
BAD_FOR_SECONDS: Final = 5.0  # so that a server is used again soon after room was made on the disk
_KEY: Final = "health.write_probe"


class WriteProbe:
    """Writes one small row, at most once in 15 s a process, and remembers what came of it.

    A full disk, a read-only file system and a standby server answer reads as ever; only a write shows them.
    """

    def __init__(self, db: Database, *, now: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._now = now
        self._turn = asyncio.Lock()
        self._known_until = 0.0
        self._failure: DatabaseUnavailable | None = None

    async def check(self) -> None:
        """Raise DatabaseUnavailable when the latest write failed."""
        async with self._turn:
            if self._now() >= self._known_until:
                await self._write()
        if self._failure is not None:
            raise DatabaseUnavailable("The database cannot be written to.", reason=self._failure.reason)

    async def _write(self) -> None:
        try:
            async with self._db.write() as tx:
                # A limit that is over at once: the hourly clean-up removes it like every other one.
                row = {"key": _KEY, "free_at": tx.now()}
                await tx.upsert(LimitRow, [row], key=("key",), update=("free_at",))
            self._failure, seconds = None, GOOD_FOR_SECONDS
        except DatabaseUnavailable as error:
            self._failure, seconds = error, BAD_FOR_SECONDS
        self._known_until = self._now() + seconds
