"""SQL on the jobs that wait: how messages are stored, and which jobs are due."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message, Priority, Queue
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import Key, SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among, constant
from fairground.platform.jobs.lifecycle import JobState
from fairground.platform.jobs.tables import JobRow


@dataclass(frozen=True)
class DueJob:
    """A job that could start now, locked by the transaction that has read it."""

    id: UUID
    kind: str
    queue: Queue
    priority: int
    run_at: datetime
    payload: dict[str, Any]
    fence: int
    attempt: int
    max_attempts: int
    crashes: int


_DUE_COLUMNS: Final = (
    JobRow.id,
    JobRow.kind,
    JobRow.queue,
    JobRow.priority,
    JobRow.run_at,
    JobRow.payload,
    JobRow.fence,
    JobRow.attempt,
    JobRow.max_attempts,
    JobRow.crashes,
)


def in_state(state: JobState) -> ColumnElement[bool]:
    return JobRow.state == constant(state.value)


async def insert_jobs(
    tx: WriteTx,
    message: Message,
    *,
    queues: Mapping[str, Queue],
    max_attempts: int,
    delay: timedelta = timedelta(0),
    dedup_key: str | None = None,
) -> int:
    """Insert the message once for each kind; return how many were new.

    A row with the same `dedup_key` is not inserted again.

    Args:
        queues: The queue of each kind.
    """
    row = {
        "priority": int(message.priority),
        "payload": message.model_dump(mode="json"),
        "max_attempts": max_attempts,
        "dedup_key": dedup_key,
        "due": tx.clock_shift + delay,
        "now": tx.clock_shift,
    }
    rows = [{**row, "id": uuid7(), "kind": kind, "queue": queue} for kind, queue in queues.items()]
    return await tx.execute(_insertion(tx.ops), rows if len(rows) > 1 else rows[0]) if rows else 0


@lru_cache
def _insertion(ops: SQLOps) -> Prepared:
    given = ("id", "kind", "queue", "priority", "payload", "max_attempts", "dedup_key")
    row = {
        **{name: bindparam(name) for name in given},
        "state": JobState.READY.value,
        "attempt": 0,
        "crashes": 0,
        "fence": 0,
        "run_at": moved_clock(ops, "due"),
        "created_at": moved_clock(ops),
    }
    return Prepared(ops.insert(JobRow.__table__).values(row).on_conflict_do_nothing())


def moved_clock(ops: SQLOps, shift: str = "now") -> ColumnElement[datetime]:
    """Return the clock, moved by a parameter."""
    return ops.now(bindparam(shift, type_=TimeShift()))


async def lock_due_jobs(tx: WriteTx, *, kinds: Sequence[str], slots: Mapping[Queue, int]) -> list[DueJob]:
    """Return the next due jobs of these kinds, by priority and due time.

    Skips those that another worker is claiming. All queues are read by one statement, so a worker sends as many
    statements as with one queue.

    Args:
        slots: How many jobs of each queue may be returned.
    """
    limits = {_limit_of(queue): slots.get(queue, 0) for queue in Queue}
    rows = await tx.all(_due_statement(tx.ops, tuple(kinds)), {"now": tx.clock_shift, **limits})
    left = Counter(slots)
    chosen = []
    for job in sorted(map(_due_job, rows), key=lambda job: (job.priority, job.run_at, job.id)):
        # Each priority was read up to the queue's whole limit, so there may be too many.
        if left[job.queue] > 0:
            left[job.queue] -= 1
            chosen.append(job)
    return chosen


# Building the statement takes longer than running it.
@lru_cache(maxsize=64)
def _due_statement(ops: SQLOps, kinds: tuple[str, ...]) -> Prepared:
    now = moved_clock(ops)

    def due_range(key: Key) -> Select[Any]:
        is_due = _is_due(key["queue"], key["priority"], now=now)
        due = select(*_DUE_COLUMNS).where(is_due, among(JobRow.kind, kinds))
        return ops.skip_locked(due.order_by(JobRow.run_at, JobRow.id).limit(key["limit"]))

    limits = {queue: bindparam(_limit_of(queue), type_=Integer()) for queue in Queue}
    return Prepared(ops.for_each([{**key, "limit": limits[queue]} for queue, key in _ranges()], due_range))


def _ranges() -> Iterator[tuple[Queue, Key]]:
    """Yield the ranges of the index of waiting jobs."""
    for queue in Queue:
        for priority in Priority:
            yield queue, {"queue": literal(queue.value, Text()), "priority": literal(int(priority), SmallInteger())}


def _due_job(row: Row[Any]) -> DueJob:
    columns = row._asdict()
    return DueJob(**{**columns, "queue": Queue(row.queue)})


def _limit_of(queue: Queue) -> str:
    return f"limit_of_{queue}"


def _is_due(
    queue: ColumnElement[str], priority: ColumnElement[int], *, now: ColumnElement[datetime]
) -> ColumnElement[bool]:
    # One range of the index. A range over all priorities would read every job that waits for a later date.
    return and_(
        in_state(JobState.READY),
        JobRow.queue == queue,
        JobRow.priority == priority,
        JobRow.run_at <= now,
    )


async def find_unfinished(tx: ReadTx, *, kind: str) -> set[UUID]:
    """Return the jobs of a kind that wait or run."""
    # Two statements, because each is answered from the partial index of its state.
    return {
        found
        for state in (JobState.READY, JobState.RUNNING)
        for found in await tx.scalars(select(JobRow.id).where(in_state(state), JobRow.kind == kind))
    }


async def prioritise(tx: WriteTx, *, job_ids: Collection[UUID]) -> None:
    """Make waiting jobs due now, and first in their queue."""
    waiting = and_(JobRow.id.in_(job_ids), in_state(JobState.READY))
    await tx.execute(
        update(JobRow)
        .where(waiting)
        .values(priority=int(Priority.HIGH), run_at=case((JobRow.run_at > tx.now(), tx.now()), else_=JobRow.run_at))
    )


async def has_work(tx: ReadTx) -> bool:
    """Return whether a job is due or running."""
    running = await tx.scalar(select(exists(select(JobRow.id).where(in_state(JobState.RUNNING)))))
    return bool(running) or bool(await count_due(tx))


async def count_due(tx: ReadTx) -> dict[Queue, tuple[int, datetime]]:
    """Return how many jobs are due in each queue that has any, and since when the oldest has been due."""
    now = tx.now()

    def count(key: Key) -> Select[Any]:
        oldest_at = func.min(JobRow.run_at).label("oldest_at")
        columns: list[ColumnElement[Any]] = [key["queue"].label("queue"), func.count().label("due"), oldest_at]
        return select(*columns).where(_is_due(key["queue"], key["priority"], now=now))

    found: dict[Queue, tuple[int, datetime]] = {}
    for row in await tx.all(tx.ops.for_each([key for _, key in _ranges()], count)):
        if row.due:
            due, oldest_at = found.get(Queue(row.queue), (0, row.oldest_at))
            found[Queue(row.queue)] = (due + row.due, min(oldest_at, row.oldest_at))
    return found
