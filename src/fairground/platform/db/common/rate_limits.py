"""Rate limits in SQL (GCRA): one row a key, one statement an attempt, decided by the database's clock.

A row holds the time at which all attempts of its key are forgotten. An attempt moves that time on by one interval and
is refused if it would then be more than `burst` intervals ahead. One statement stays exact under any number of
callers; a read followed by a write would admit every caller that reads before the others write.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import case, delete, select, update

from fairground.platform.db.common.tables import LimitRow
from fairground.platform.db.database import ReadTx, WriteTx


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


async def give_back(tx: WriteTx, *, key: str, interval: timedelta) -> None:
    """Remove one admitted attempt from the count."""
    await tx.execute(update(LimitRow).where(LimitRow.key == key).values(free_at=_moved(tx, by=-interval)))


async def forget(tx: WriteTx, *, key: str) -> None:
    await tx.execute(delete(LimitRow).where(LimitRow.key == key))


async def forget_beginning_with(tx: WriteTx, *, beginning: str) -> None:
    await tx.execute(delete(LimitRow).where(LimitRow.key.startswith(beginning, autoescape=True)))


async def drop_lapsed(tx: WriteTx) -> int:
    """Delete the rows that have no effect any more; return how many there were."""
    return await tx.execute(delete(LimitRow).where(LimitRow.free_at < tx.now()))


def _moved(tx: WriteTx, *, by: timedelta) -> Any:
    return tx.ops.later(LimitRow.__table__.c.free_at, by=by)
