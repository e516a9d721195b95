"""Limits on how often something may be tried, shared by every process through the database.

There is no way around the database: when it does not answer, nobody may try (fail closed).
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from fairground.platform.db.common import limits
from fairground.platform.db.database import Database


@dataclass(frozen=True)
class Limit:
    """`burst` tries at once, then one more for every `interval` that passes.

    At most `burst + window / interval` tries fit in any window, so an interval of W with a burst of N means: never
    more than N within W.
    """

    name: str
    burst: int
    interval: timedelta


class RateLimiter:
    """Counts tries by limit and key. A key is whatever is counted: an account, a client's address.

    Keys are stored as they come: hash what is private.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, limit: Limit, *, key: str) -> int:
        """Count a try. Return 0 when it is admitted, else in how many seconds (at least 1) the next one will be.

        That is never longer than one interval, also after the database's clock ran ahead and was put right.

        Raises:
            DatabaseUnavailable: Nothing is known, so nothing may be tried.
        """
        row = _row_key(limit, key)
        # A flood of hopeless tries is turned away by reading, so that it takes no writer's turn and no row's lock.
        async with self._db.read() as tx:
            wait = await limits.find_wait(tx, key=row, burst=limit.burst, interval=limit.interval)
        if wait <= timedelta(0):
            async with self._db.write() as writing:
                if await limits.count_try(writing, key=row, burst=limit.burst, interval=limit.interval):
                    return 0
                wait = await limits.find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        elif wait > limit.interval:
            async with self._db.write() as writing:
                await limits.bound_future(writing, key=row, burst=limit.burst, interval=limit.interval)
                wait = await limits.find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        return max(1, math.ceil(wait.total_seconds()))

    async def give_back(self, limit: Limit, *, key: str) -> None:
        """Uncount one admitted try."""
        async with self._db.write() as tx:
            await limits.give_back(tx, key=_row_key(limit, key), interval=limit.interval)

    async def forget(self, limit: Limit, *, key: str) -> None:
        """Uncount every try of the key."""
        async with self._db.write() as tx:
            await limits.forget(tx, key=_row_key(limit, key))

    async def forget_beginning_with(self, limit: Limit, *, beginning: str) -> None:
        """Uncount every try of every key that begins so."""
        async with self._db.write() as tx:
            await limits.forget_beginning_with(tx, beginning=_row_key(limit, beginning))


def _row_key(limit: Limit, key: str) -> str:
    return f"{limit.name}:{key}"
