"""Dead letters: jobs that have used up their attempts, for a person to read and to send off again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select, tuple_, update

from fairground.kernel.errors import NotFound
from fairground.platform.db.database import Database
from fairground.platform.jobs.states import JobState
from fairground.platform.jobs.store import in_state
from fairground.platform.jobs.tables import JobRow


class DeadLetter(BaseModel):
    """A job that will not run again unless somebody requeues it."""

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


async def list_dead_letters(db: Database, *, limit: int, before: DeadLetter | None = None) -> list[DeadLetter]:
    """Return dead jobs, the latest first; those before the given one, to read on from it."""
    columns = (getattr(JobRow, name) for name in DeadLetter.model_fields)
    query = select(*columns).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None))
    if before is not None:
        query = query.where(tuple_(JobRow.finished_at, JobRow.id) < (before.finished_at, before.id))
    async with db.read() as tx:
        rows = await tx.all(query.order_by(JobRow.finished_at.desc(), JobRow.id.desc()).limit(limit))
    return [DeadLetter.model_validate(row) for row in rows]


async def requeue(db: Database, *, job_id: UUID) -> None:
    """Let a dead job start over, with all its attempts. One that crashed a worker still runs alone.

    Raises:
        DeadLetterNotFound: No such job, or it is not dead.
    """
    # Its key is gone: a newer job may carry it by now, and this one must not be refused for that.
    afresh = {"state": JobState.READY.value, "attempt": 0, "dedup_key": None, "finished_at": None}
    async with db.write() as tx:
        found = await tx.execute(
            update(JobRow).where(JobRow.id == job_id, in_state(JobState.DEAD)).values(**afresh, run_at=tx.now())
        )
    if not found:
        raise DeadLetterNotFound(f"There is no dead job {job_id}.")


async def count_jobs(db: Database) -> Mapping[JobState, int]:
    """Return how many jobs are in each state, finished ones as long as they are kept."""
    async with db.read() as tx:
        rows = await tx.all(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {**dict.fromkeys(JobState, 0), **{JobState(state): count for state, count in rows}}
