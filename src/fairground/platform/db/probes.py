"""Probes of a running database: it can be written to, and its guard still refuses what it must.

Only a write shows either: a full disk, a read-only file system and a standby server answer reads as ever.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Executable

from fairground.platform.db.common.tables import LimitRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.db.dialect.guards import GuardError, OverlapGuard

GOOD_FOR_SECONDS: Final = 15.0
BAD_FOR_SECONDS: Final = 5.0  # so that a server is used again soon after room was made on the disk
_KEY: Final = "health.write_probe"


class WriteProbe:
    """Writes one small row, at most once in 15 s a process, and remembers the result."""

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
            raise DatabaseUnavailable("The database cannot be written to at the moment.", reason=self._failure.reason)

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


async def prove_guard(db: Database, *, guard: OverlapGuard, attempts: Sequence[Sequence[Executable]]) -> None:
    """Try to break the guard, and keep nothing of it.

    Args:
        attempts: Each is run in a transaction of its own that never commits; its last statement must be refused.

    Raises:
        GuardError: One was not refused.
    """
    for attempt in attempts:
        try:
            async with db.write() as tx:
                for statement in attempt:
                    await tx.execute(statement)
                # Leaving the block by an exception takes the rows back.
                raise GuardError(
                    f"The table {guard.table} has lost its protection against double bookings, so the server refuses "
                    "requests. Run `fairground db upgrade` to restore it."
                )
        except IntegrityError as error:
            if not guard.is_refusal(error):
                raise
