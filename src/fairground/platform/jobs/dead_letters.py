"""Finished jobs: dead letters, which an operator reads and requeues, and how long done and dead jobs are kept."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, func, or_, select, tuple_, update

from fairground.kernel.errors import NotFound
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.messages import Job, Queue
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, ReadTx, WriteTx
from fairground.platform.jobs.lifecycle import JobState
from fairground.platform.jobs.store import in_state
from fairground.platform.jobs.tables import JobRow

DONE_KEPT: Final = timedelta(days=7)
DEAD_KEPT: Final = timedelta(days=90)
ROWS_AT_ONCE: Final = 500  # a longer transaction would keep others from writing to SQLite


class DeadLetter(BaseModel):
    """A job that will not run again unless an operator requeues it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: UUID
    kind: str
    queue: str
    payload: dict[str, Any]
    error: str
    attempt: int
    crashes: int
    created_at: datetime
    finished_at: datetime


class DeadLetterNotFound(NotFound):
    code = "jobs.dead_letter_not_found"
    hint = "`fairground jobs list` shows the dead jobs and their ids."


class DeleteFinished(Job):
    """Delete jobs that have been done or dead for long enough."""

    topic: ClassVar = "jobs.delete_finished.v1"


async def list_dead_letters(
    db: Database,
    *,
    limit: int,
    before: DeadLetter | TimeCursor | None = None,
    kind: str | None = None,
    queue: Queue | None = None,
) -> list[DeadLetter]:
    """Return dead jobs, the latest first; with `before`, those that follow it in this order."""
    columns = (getattr(JobRow, name) for name in DeadLetter.model_fields)
    query = select(*columns).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None))
    if before is not None:
        at = before.finished_at if isinstance(before, DeadLetter) else before.at
        query = query.where(tuple_(JobRow.finished_at, JobRow.id) < (at, before.id))
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    if queue is not None:
        query = query.where(JobRow.queue == queue.value)
    async with db.read() as tx:
        rows = await tx.all(query.order_by(JobRow.finished_at.desc(), JobRow.id.desc()).limit(limit))
    return [DeadLetter.model_validate(row) for row in rows]


async def requeue(db: Database, *, job_id: UUID, actor: UUID | None = None) -> None:
    """Let a dead job start over, with all its attempts. A job that crashed a worker still runs alone.

    Args:
        actor: The member of staff who asks for it; None for a command.

    Raises:
        DeadLetterNotFound: No such job, or it is not dead.
    """
    async with db.write() as tx:
        if not await _start_over(tx, [job_id]):
            raise DeadLetterNotFound(f"There is no dead job {job_id}.")
        await record_action(tx, action="jobs.requeue", actor=actor, subject=AuditSubject("job", job_id))


async def requeue_kind(db: Database, *, kind: str, actor: UUID | None = None) -> int:
    """Let all dead jobs of a kind start over, in short transactions; return how many."""
    total = 0
    while True:
        async with db.write() as tx:
            dead = select(JobRow.id).where(
                in_state(JobState.DEAD), JobRow.finished_at.is_not(None), JobRow.kind == kind
            )
            job_ids = await tx.scalars(dead.limit(ROWS_AT_ONCE))
            if job_ids:
                await _start_over(tx, job_ids)
                details = {"kind": kind, "jobs": len(job_ids)}
                await record_action(tx, action="jobs.requeue_kind", actor=actor, details=details)
        total += len(job_ids)
        if len(job_ids) < ROWS_AT_ONCE:
            return total


async def _start_over(tx: WriteTx, job_ids: Collection[UUID]) -> int:
    # Its key is removed: a newer job may have the same key by now, and the database would refuse this one.
    values = {"state": JobState.READY.value, "attempt": 0, "dedup_key": None, "finished_at": None}
    dead = (JobRow.id.in_(job_ids), in_state(JobState.DEAD))
    return await tx.execute(update(JobRow).where(*dead).values(**values, run_at=tx.now()))


async def count_jobs(db: Database) -> Mapping[JobState, int]:
    """Return how many jobs are in each state, finished ones as long as they are kept."""
    async with db.read() as tx:
        rows = await tx.all(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {**dict.fromkeys(JobState, 0), **{JobState(state): count for state, count in rows}}


async def count_dead(tx: ReadTx) -> int:
    dead: int = await tx.scalar(select(func.count()).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None)))
    return dead


async def delete_finished(db: Database) -> int:
    """Delete jobs that were kept for long enough, in short transactions; return how many."""
    total = 0
    while True:
        async with db.write() as tx:
            count = await _delete_some(tx)
        total += count
        if count < ROWS_AT_ONCE:
            return total


async def _delete_some(tx: WriteTx) -> int:
    old = select(JobRow.id).where(
        or_(
            in_state(JobState.DONE) & (JobRow.finished_at < tx.now(-DONE_KEPT)),
            in_state(JobState.DEAD) & (JobRow.finished_at < tx.now(-DEAD_KEPT)),
        )
    )
    return await tx.execute(delete(JobRow).where(JobRow.id.in_(old.limit(ROWS_AT_ONCE))))
