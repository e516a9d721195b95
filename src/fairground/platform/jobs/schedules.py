"""Jobs that are enqueued at an interval. There is no leader: the first worker that looks enqueues what is due."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, select, update

from fairground.platform.db.database import Database, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.tables import ScheduleRow
from fairground.platform.module import Schedule

DEDUP_KEY: Final = "schedule"
"""While a run of a schedule waits or runs, no other run of it is enqueued."""


class Scheduler:
    """Enqueues the scheduled jobs of this program when they are due."""

    def __init__(self, db: Database, *, routes: Routes, schedules: Iterable[Schedule]) -> None:
        self._db = db
        self._by_kind = {routes.handler_of(schedule.job).kind: schedule for schedule in schedules}
        self._is_prepared = False

    async def enqueue_due(self) -> None:
        if not self._is_prepared:
            await self._prepare()
            self._is_prepared = True
        kinds = sorted(self._by_kind)
        async with self._db.read() as tx:
            dates = await tx.all(_dates(tx.ops), {"kinds": kinds, "now": tx.clock_shift})
        is_due = any(date.next_at <= date.read_at for date in dates)
        is_too_far = any(date.next_at > date.read_at + self._by_kind[date.kind].every for date in dates)
        if is_too_far:
            # The clock ran ahead when the dates were stored; until it is that late again, an hourly job would not run.
            async with self._db.write() as tx:
                for kind, schedule in self._by_kind.items():
                    await _bring_forward(tx, kind, latest=schedule.every)
        if is_due:
            async with self._db.write() as tx:
                await self._enqueue(tx, kinds)

    async def _prepare(self) -> None:
        """Give each schedule a date, and bring a date forward that an earlier, longer interval has left too late."""
        async with self._db.write() as tx:
            for kind, schedule in self._by_kind.items():
                latest = timedelta(0) if schedule.runs_at_start else schedule.every
                await tx.insert_ignore(ScheduleRow, [{"kind": kind, "next_at": tx.now(latest)}])
                await _bring_forward(tx, kind, latest=latest)

    async def _enqueue(self, tx: WriteTx, kinds: Sequence[str]) -> None:
        now = await tx.current_time()
        for kind, next_at in await _lock_due(tx, kinds):
            schedule = self._by_kind[kind]
            await tx.enqueue(schedule.job, dedup_key=DEDUP_KEY)
            await _set_next(tx, kind, next_at=next_tick(next_at, now=now, every=schedule.every))


def next_tick(due_at: datetime, *, now: datetime, every: timedelta) -> datetime:
    """Return the first tick after now. Missed ticks are left out, and the rhythm stays."""
    return due_at + every * ((now - due_at) // every + 1)


@lru_cache(maxsize=2)  # one for each dialect
def _dates(ops: SQLOps) -> Prepared:
    read_at = ops.now(bindparam("now", type_=TimeShift())).label("read_at")
    dates = select(ScheduleRow.kind, ScheduleRow.next_at, read_at)
    return Prepared(dates.where(among(ScheduleRow.kind, bindparam("kinds"))))


async def _lock_due(tx: WriteTx, kinds: Sequence[str]) -> list[tuple[str, datetime]]:
    due = select(ScheduleRow.__table__).where(ScheduleRow.kind.in_(kinds), ScheduleRow.next_at <= tx.now())
    return [(row.kind, row.next_at) for row in await tx.all(tx.ops.skip_locked(due))]


async def _set_next(tx: WriteTx, kind: str, *, next_at: datetime) -> None:
    await tx.execute(update(ScheduleRow).where(ScheduleRow.kind == kind).values(next_at=next_at))


async def _bring_forward(tx: WriteTx, kind: str, *, latest: timedelta) -> None:
    is_later = ScheduleRow.next_at > tx.now(latest)
    await tx.execute(update(ScheduleRow).where(ScheduleRow.kind == kind, is_later).values(next_at=tx.now(latest)))
