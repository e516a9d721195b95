"""Rate limits, shared by all processes through the database.

When the database does not answer, nothing is admitted (fail closed).
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from fairground.platform.db.common import rate_limits
from fairground.platform.db.database import Database


@dataclass(frozen=True)
class Limit:
    """`burst` attempts at once, then one more for every `interval` that passes.

    At most `burst + window / interval` attempts fit in any window of time.
    """

    name: str
    burst: int
    interval: timedelta


class RateLimiter:
    """Counts attempts by limit and key, such as an account or a client's address.

    Keys are stored unchanged, so callers hash private ones.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, limit: Limit, *, key: str) -> int:
        """Count an attempt. Return 0 if it is admitted, else the seconds (at least 1) until the next one is.

        The wait is at most one interval, even after the database's clock ran ahead and was corrected.

        Raises:
            DatabaseUnavailable: The attempt must not be made.
        """
        row = _row_key(limit, key)
        # A flood of refused attempts only reads, so that it takes neither the turn of a writer nor the lock of a row.
        async with self._db.read() as tx:
            wait = await rate_limits.find_wait(tx, key=row, burst=limit.burst, interval=limit.interval)
        if wait <= timedelta(0):
            async with self._db.write() as writing:
                if await rate_limits.count_attempt(writing, key=row, burst=limit.burst, interval=limit.interval):
                    return 0
                wait = await rate_limits.find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        elif wait > limit.interval:
            async with self._db.write() as writing:
                await rate_limits.bound_future(writing, key=row, burst=limit.burst, interval=limit.interval)
                wait = await rate_limits.find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        return max(1, math.ceil(wait.total_seconds()))

    async def give_back(self, limit: Limit, *, key: str) -> None:
        """Remove one admitted attempt from the count."""
        async with self._db.write() as tx:
            await rate_limits.give_back(tx, key=_row_key(limit, key), interval=limit.interval)

    async def forget(self, limit: Limit, *, key: str) -> None:
        """Remove all attempts of the key from the count."""
        async with self._db.write() as tx:
            await rate_limits.forget(tx, key=_row_key(limit, key))

    async def forget_beginning_with(self, limit: Limit, *, beginning: str) -> None:
        """Remove all attempts of every key with this beginning from the count."""
        async with self._db.write() as tx:
            await rate_limits.forget_beginning_with(tx, beginning=_row_key(limit, beginning))


def _row_key(limit: Limit, key: str) -> str:
    return f"{limit.name}:{key}"
