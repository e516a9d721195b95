"""Finished jobs: dead letters, which an operator reads and requeues, and how long done and dead jobs are kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, func, or_, select, tuple_, update

from fairground.kernel.errors import NotFound
from fairground.kernel.messages import Job
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


async def list_dead_letters(db: Database, *, limit: int, before: DeadLetter | None = None) -> list[DeadLetter]:
    """Return dead jobs, the latest first; with `before`, those that follow it in this order."""
    columns = (getattr(JobRow, name) for name in DeadLetter.model_fields)
    query = select(*columns).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None))
    if before is not None:
        query = query.where(tuple_(JobRow.finished_at, JobRow.id) < (before.finished_at, before.id))
    async with db.read() as tx:
        rows = await tx.all(query.order_by(JobRow.finished_at.desc(), JobRow.id.desc()).limit(limit))
    return [DeadLetter.model_validate(row) for row in rows]


async def requeue(db: Database, *, job_id: UUID) -> None:
    """Let a dead job start over, with all its attempts. A job that crashed a worker still runs alone.

    Raises:
        DeadLetterNotFound: No such job, or it is not dead.
    """
    # Its key is removed: a newer job may have the same key by now, and the database would refuse this one.
    values = {"state": JobState.READY.value, "attempt": 0, "dedup_key": None, "finished_at": None}
    async with db.write() as tx:
        found = await tx.execute(
            update(JobRow).where(JobRow.id == job_id, in_state(JobState.DEAD)).values(**values, run_at=tx.now())
        )
    if not found:
        raise DeadLetterNotFound(f"There is no dead job {job_id}.")


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
