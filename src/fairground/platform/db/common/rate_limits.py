"""Rate limits (GCRA), shared by all processes: one row a key, one statement an attempt, timed by the database's clock.

A row holds the time at which all attempts of its key are forgotten. An attempt moves that time on by one interval and
is refused if it would then be more than `burst` intervals ahead. One statement stays exact under any number of
callers; a read followed by a write would admit every caller that reads before the others write. When the database does
not answer, nothing is admitted (fail closed).
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, delete, select, update

from fairground.platform.db.common.limit_refusals import RefusalCounter
from fairground.platform.db.common.tables import LimitRow
from fairground.platform.db.database import Database, ReadTx, WriteTx


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
        self.refusals = RefusalCounter(db)

    async def take(self, limit: Limit, *, key: str) -> int:
        """Count an attempt. Return 0 if it is admitted, else the seconds (at least 1) until the next one is.

        The wait is at most one interval, even after the database's clock ran ahead and was corrected.

        Raises:
            DatabaseUnavailable: The attempt must not be made.
        """
        row = _row_key(limit, key)
        # A flood of refused attempts only reads, so that it takes neither the turn of a writer nor the lock of a row.
        async with self._db.read() as tx:
            wait = await find_wait(tx, key=row, burst=limit.burst, interval=limit.interval)
        if wait <= timedelta(0):
            async with self._db.write() as writing:
                if await count_attempt(writing, key=row, burst=limit.burst, interval=limit.interval):
                    return 0
                wait = await find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        elif wait > limit.interval:
            async with self._db.write() as writing:
                await bound_future(writing, key=row, burst=limit.burst, interval=limit.interval)
                wait = await find_wait(writing, key=row, burst=limit.burst, interval=limit.interval)
        await self.refusals.add(limit.name, key=key)
        return max(1, math.ceil(wait.total_seconds()))

    async def give_back(self, limit: Limit, *, key: str) -> None:
        """Remove one admitted attempt from the count."""
        async with self._db.write() as tx:
            await uncount_attempt(tx, key=_row_key(limit, key), interval=limit.interval)

    async def forget(self, limit: Limit, *, key: str) -> None:
        """Remove all attempts of the key from the count."""
        async with self._db.write() as tx:
            await delete_attempts(tx, key=_row_key(limit, key))

    async def forget_beginning_with(self, limit: Limit, *, beginning: str) -> None:
        """Remove all attempts of every key with this beginning from the count."""
        async with self._db.write() as tx:
            await delete_attempts_beginning_with(tx, beginning=_row_key(limit, beginning))


def _row_key(limit: Limit, key: str) -> str:
    return f"{limit.name}:{key}"


async def count_attempt(tx: WriteTx, *, key: str, burst: int, interval: timedelta) -> bool:
    """Count an attempt. Return False, and count nothing, when the key has none left."""
    first = tx.ops.insert(LimitRow.__table__).values(key=key, free_at=tx.now(interval))
    # The clock is read before the wait for the lock of a row; an older "now" can only refuse more.
    free_at = case((LimitRow.free_at > tx.now(), _moved(tx, by=interval)), else_=tx.now(interval))
    later = first.on_conflict_do_update(
        index_elements=["key"], set_={"free_at": free_at}, where=LimitRow.free_at <= tx.now(interval * (burst - 1))
    )
    return await tx.execute(later) == 1


async def find_wait(tx: ReadTx, *, key: str, burst: int, interval: timedelta) -> timedelta:
    """Return how long it takes until the key has an attempt left; zero or less when it has one."""
    row = await tx.one_or_none(
        select(LimitRow.free_at, tx.now(interval * (burst - 1)).label("admits_until")).where(LimitRow.key == key)
    )
    return timedelta(0) if row is None else row.free_at - row.admits_until


async def bound_future(tx: WriteTx, *, key: str, burst: int, interval: timedelta) -> None:
    """Correct a time beyond `burst` intervals from now, which only a clock that ran ahead can have stored.

    It becomes the latest possible time, as if the burst were used up, so turning the clock back admits nothing more.
    """
    latest = tx.now(interval * burst)
    await tx.execute(update(LimitRow).where(LimitRow.key == key, LimitRow.free_at > latest).values(free_at=latest))


async def uncount_attempt(tx: WriteTx, *, key: str, interval: timedelta) -> None:
    """Remove one admitted attempt from the count."""
    await tx.execute(update(LimitRow).where(LimitRow.key == key).values(free_at=_moved(tx, by=-interval)))


async def delete_attempts(tx: WriteTx, *, key: str) -> None:
    await tx.execute(delete(LimitRow).where(LimitRow.key == key))


async def delete_attempts_beginning_with(tx: WriteTx, *, beginning: str) -> None:
    await tx.execute(delete(LimitRow).where(LimitRow.key.startswith(beginning, autoescape=True)))


async def drop_lapsed(tx: WriteTx) -> int:
    """Delete the rows that have no effect any more; return how many there were."""
    return await tx.execute(delete(LimitRow).where(LimitRow.free_at < tx.now()))


def _moved(tx: WriteTx, *, by: timedelta) -> Any:
    return tx.ops.later(LimitRow.__table__.c.free_at, by=by)
