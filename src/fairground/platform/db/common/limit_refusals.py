"""Which attempts the rate limits refused: how often each key of each limit, and when last, kept for seven days.

A flood of refused attempts must not become a flood of writes, so refusals are counted in memory and stored at most once
in ten seconds for a key. What a process has not stored yet when it ends is lost.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select

from fairground.platform.db.common.tables import LimitRefusalRow
from fairground.platform.db.database import Database, ReadTx, WriteTx
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.measures import Counted

KEPT_FOR: Final = timedelta(days=7)
STORED_EVERY_SECONDS: Final = 10.0
KEYS_MAX: Final = 10_000  # in memory; beyond them all are stored at their next refusal
_HASH_LENGTH: Final = 16


@dataclass(frozen=True)
class LimitRefusals:
    """The refusals of one key of one limit within the last seven days."""

    name: str
    key_hash: str
    refusals: int
    last_at: datetime


class RefusalCounter:
    """Counts refused attempts, and stores them now and then."""

    def __init__(self, db: Database, *, now: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._now = now
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._stored_at: dict[tuple[str, str], float] = {}
        self._total: Counter[str] = Counter()

    async def add(self, name: str, *, key: str) -> None:
        """Count a refusal. A database that does not answer keeps it in memory."""
        # Keys are addresses of clients or of accounts; staff need to tell them apart, not to read them.
        entry = name, hashlib.sha256(key.encode()).hexdigest()[:_HASH_LENGTH]
        self._total[name] += 1
        self._waiting[entry] += 1
        now = self._now()
        if now - self._stored_at.get(entry, -STORED_EVERY_SECONDS) < STORED_EVERY_SECONDS:
            return
        if len(self._stored_at) >= KEYS_MAX:
            self._stored_at.clear()
        self._stored_at[entry] = now
        refusals = self._waiting.pop(entry)
        try:
            async with self._db.write() as tx:
                await add_refusals(tx, name=entry[0], key_hash=entry[1], refusals=refusals)
        except DatabaseUnavailable:
            self._waiting[entry] += refusals

    def measure(self) -> Iterable[Counted]:
        counts = [((name,), float(count)) for name, count in sorted(self._total.items())]
        yield Counted("limit_refusals", "Attempts that a rate limit refused.", counts, labels=("limit",))


async def add_refusals(tx: WriteTx, *, name: str, key_hash: str, refusals: int) -> None:
    table = LimitRefusalRow.__table__
    row = {"name": name, "key_hash": key_hash, "refusals": refusals, "last_at": tx.now()}
    more = {"refusals": table.c.refusals + refusals, "last_at": tx.now()}
    await tx.execute(
        tx.ops.insert(table).values(**row).on_conflict_do_update(index_elements=["name", "key_hash"], set_=more)
    )


async def list_refusals(tx: ReadTx, *, limit: int) -> list[LimitRefusals]:
    """Return the keys that were refused last, the latest first."""
    latest = select(*LimitRefusalRow.__table__.c).order_by(LimitRefusalRow.last_at.desc()).limit(limit)
    return [LimitRefusals(row.name, row.key_hash, row.refusals, row.last_at) for row in await tx.all(latest)]


async def sum_refusals(tx: ReadTx, *, most: int) -> dict[str, tuple[int, int]]:
    """Return by limit how many keys were refused, and how often, among the latest ones."""
    latest = select(LimitRefusalRow.name, LimitRefusalRow.refusals).order_by(LimitRefusalRow.last_at.desc())
    some = latest.limit(most).subquery()
    sums = select(some.c.name, func.count().label("keys"), func.sum(some.c.refusals).label("refusals"))
    rows = await tx.all(sums.group_by(some.c.name))
    return {row.name: (int(row.keys), int(row.refusals)) for row in rows}


async def drop_old(tx: WriteTx) -> int:
    """Delete what was refused longer ago than it is kept; return how many keys that were."""
    return await tx.execute(delete(LimitRefusalRow).where(LimitRefusalRow.last_at < tx.now(-KEPT_FOR)))
