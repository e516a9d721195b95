"""What staff see of the jobs: the length of each queue, what runs, and the kinds that have dead letters."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from fairground.kernel.messages import Queue
from fairground.platform.db.database import ReadTx
from fairground.platform.jobs.lifecycle import JobState
from fairground.platform.jobs.store import count_due, in_state
from fairground.platform.jobs.tables import JobRow

COUNTED_AT_MOST: Final = 10_000
RUNNING_SHOWN: Final = 100


@dataclass(frozen=True)
class QueueState:
    queue: Queue
    due: int
    """Jobs that could start now."""
    oldest_due_at: datetime | None
    running: int
    dead: int
    """Of the latest 10,000 dead letters."""


@dataclass(frozen=True)
class RunningJob:
    id: UUID
    kind: str
    queue: str
    attempt: int
    started_at: datetime | None
    """None while a worker has claimed it and not started it."""
    worker: str | None


async def read_queues(tx: ReadTx) -> list[QueueState]:
    due, running, dead = await count_due(tx), await _count(tx, JobState.RUNNING), await _count_dead(tx, JobRow.queue)
    return [
        QueueState(
            queue=queue,
            due=due[queue][0] if queue in due else 0,
            oldest_due_at=due[queue][1] if queue in due else None,
            running=running[queue.value],
            dead=dead[queue.value],
        )
        for queue in Queue
    ]


async def list_running(tx: ReadTx) -> list[RunningJob]:
    """Return jobs that workers hold, the oldest first, the first hundred."""
    columns = (JobRow.id, JobRow.kind, JobRow.queue, JobRow.attempt, JobRow.started_at, JobRow.worker)
    rows = await tx.all(select(*columns).where(in_state(JobState.RUNNING)).order_by(JobRow.id).limit(RUNNING_SHOWN))
    return [RunningJob(row.id, row.kind, row.queue, row.attempt, row.started_at, row.worker) for row in rows]


async def count_dead_by_kind(tx: ReadTx) -> dict[str, int]:
    """Return how many of the latest 10,000 dead letters each kind has, the most first."""
    return dict((await _count_dead(tx, JobRow.kind)).most_common())


async def _count(tx: ReadTx, state: JobState) -> Counter[str]:
    some = select(JobRow.queue).where(in_state(state)).limit(COUNTED_AT_MOST).subquery()
    rows = await tx.all(select(some.c.queue, func.count().label("jobs")).group_by(some.c.queue))
    return Counter({row.queue: row.jobs for row in rows})


async def _count_dead(tx: ReadTx, column: InstrumentedAttribute[str]) -> Counter[str]:
    dead = select(column.label("name")).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None))
    latest = dead.order_by(JobRow.finished_at.desc(), JobRow.id.desc()).limit(COUNTED_AT_MOST).subquery()
    rows = await tx.all(select(latest.c.name, func.count().label("jobs")).group_by(latest.c.name))
    return Counter({row.name: row.jobs for row in rows})
