"""Every statement on the job table that enqueues, claims, keeps or ends jobs; the same SQL on both dialects."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, case, literal, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message
from fairground.platform.db.database import WriteTx
from fairground.platform.jobs.running import RunningJob
from fairground.platform.jobs.states import Ending, JobState
from fairground.platform.jobs.tables import JobRow

AHEAD: Final = timedelta(minutes=10)
"""How long before now the jobs are due that go before a long queue: the longest due is claimed first."""

LEASE_MAX: Final = timedelta(hours=1)
"""The longest that FAIRGROUND_JOBS_LEASE_SECONDS may be."""

_NOT_HELD: Final[dict[str, Any]] = {"lease_until": None, "worker": None}


def in_state(state: JobState) -> ColumnElement[bool]:
    # Written into the statement as a literal, else a partial index on the state cannot be matched.
    return JobRow.state == literal(state.value, literal_execute=True)


async def insert_jobs(
    tx: WriteTx,
    message: Message,
    *,
    kinds: Sequence[str],
    max_attempts: int,
    delay: timedelta = timedelta(0),
    dedup_key: str | None = None,
) -> int:
    """Write the message down once for each kind; return how many were not there already under the same key."""
    if message.is_awaited and not delay:
        delay = -AHEAD
    row = {
        "payload": message.model_dump(mode="json"),
        "state": JobState.READY.value,
        "run_at": tx.now(delay),
        "attempt": 0,
        "max_attempts": max_attempts,
        "crashes": 0,
        "fence": 0,
        "dedup_key": dedup_key,
        "created_at": tx.now(),
    }
    return await tx.insert_ignore(JobRow, [{**row, "id": uuid7(), "kind": kind} for kind in kinds])


async def lock_due_jobs(tx: WriteTx, *, kinds: Sequence[str], limit: int) -> Sequence[Any]:
    """Return due jobs of these kinds, the longest due first, passing over those that another worker is claiming."""
    due = and_(in_state(JobState.READY), JobRow.run_at <= tx.now(), JobRow.kind.in_(kinds))
    columns = (
        JobRow.id,
        JobRow.kind,
        JobRow.payload,
        JobRow.fence,
        JobRow.attempt,
        JobRow.max_attempts,
        JobRow.crashes,
    )
    return await tx.all(tx.ops.skip_locked(select(*columns).where(due).order_by(JobRow.run_at, JobRow.id).limit(limit)))


async def lease_jobs(tx: WriteTx, rows: Sequence[Any], *, lease: timedelta, worker: str) -> list[RunningJob]:
    """Claim rows that this transaction has locked: spend an attempt of each and raise its fence."""
    if not rows:
        return []
    await tx.execute(
        update(JobRow)
        .where(JobRow.id.in_([row.id for row in rows]))
        .values(
            state=JobState.RUNNING.value,
            attempt=JobRow.attempt + 1,
            fence=JobRow.fence + 1,
            lease_until=tx.now(lease),
            started_at=tx.now(),
            worker=worker,
        )
    )
    return [
        RunningJob(
            id=row.id,
            kind=row.kind,
            payload=row.payload,
            fence=row.fence + 1,
            attempt=row.attempt + 1,
            max_attempts=row.max_attempts,
            crashes=row.crashes,
            lease=lease,
        )
        for row in rows
    ]


async def extend_lease(tx: WriteTx, job: RunningJob) -> bool:
    """Lock the row of a job until this transaction ends and renew its lease; return False if it is no longer ours."""
    return await tx.execute(update(JobRow).where(_held([job])).values(lease_until=tx.now(job.lease))) == 1


async def extend_leases(tx: WriteTx, jobs: Collection[RunningJob], *, lease: timedelta) -> set[UUID]:
    """Renew the leases of these jobs and return the ids of those that are still ours.

    A row that a transaction of its own job has locked is passed over: that transaction began with renewing the lease.
    """
    free = await tx.all(tx.ops.skip_locked(select(JobRow.id).where(_held(jobs))))
    await tx.execute(update(JobRow).where(JobRow.id.in_([row.id for row in free])).values(lease_until=tx.now(lease)))
    # One that its handler has just marked done is not lost; its task is about to return.
    ours = JobRow.state.in_([JobState.RUNNING.value, JobState.DONE.value])
    return set(await tx.scalars(select(JobRow.id).where(_fenced(jobs), ours)))


async def end_job(tx: WriteTx, job: RunningJob, ending: Ending) -> bool:
    """End the run of a job; return False if it is no longer ours, or has been ended already."""
    values: dict[str, Any] = {**_NOT_HELD, "state": ending.state.value, "error": ending.error}
    if ending.state is JobState.READY:
        values["run_at"] = tx.now(ending.delay)
    else:
        values["finished_at"] = tx.now()
    if ending.state is JobState.DONE:
        values["payload"] = None
    return await tx.execute(update(JobRow).where(_held([job])).values(values)) == 1


async def release_jobs(tx: WriteTx, jobs: Collection[RunningJob]) -> int:
    """Give jobs back that we stop working on, as if they had not been claimed; return how many were still ours."""
    given_back = {"state": JobState.READY.value, "attempt": JobRow.attempt - 1}
    return await tx.execute(update(JobRow).where(_held(jobs)).values({**_NOT_HELD, **given_back}))


async def reap_jobs(tx: WriteTx, *, limit: int) -> int:
    """Take jobs from workers that have gone silent: ready again, or dead when that was the last attempt."""
    # A lease that ends later than any may was stored by a clock that ran ahead; its worker, if it lives, has a fence.
    is_over = or_(JobRow.lease_until < tx.now(), JobRow.lease_until > tx.now(LEASE_MAX))
    expired = and_(in_state(JobState.RUNNING), is_over)
    rows = await tx.all(tx.ops.skip_locked(select(JobRow.id).where(expired).limit(limit)))
    if not rows:
        return 0
    is_last = JobRow.attempt >= JobRow.max_attempts
    return await tx.execute(
        update(JobRow)
        .where(JobRow.id.in_([row.id for row in rows]))
        .values(
            **_NOT_HELD,
            crashes=JobRow.crashes + 1,
            state=case((is_last, JobState.DEAD.value), else_=JobState.READY.value),
            finished_at=case((is_last, tx.now())),
            error="The worker that held it went silent.",
        )
    )


def _fenced(jobs: Collection[RunningJob]) -> ColumnElement[bool]:
    return tuple_(JobRow.id, JobRow.fence).in_([(job.id, job.fence) for job in jobs])


def _held(jobs: Collection[RunningJob]) -> ColumnElement[bool]:
    return and_(in_state(JobState.RUNNING), _fenced(jobs))
