"""SQL on the jobs that a worker holds: how they are claimed, started, kept, ended, given back and rescued."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, bindparam, case, null, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from fairground.platform.db.database import WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among, constant
from fairground.platform.jobs.lifecycle import DONE, JobResult, JobState, RunningJob
from fairground.platform.jobs.store import DueJob, in_state, moved_clock
from fairground.platform.jobs.tables import JobRow

LEASE_MAX: Final = timedelta(hours=1)
"""The longest that FAIRGROUND_JOBS_LEASE_SECONDS may be."""
_NOT_HELD: Final[dict[str, Any]] = {"lease_until": None, "worker": None}
_HAS_STARTED: Final = JobRow.started_at.is_not(None)
_ONE: Final = constant(1)
_SUPERSEDED: Final = "A newer job has done its work."


async def lease_jobs(
    tx: WriteTx, *, starting: Sequence[DueJob], waiting: Sequence[DueJob], lease: timedelta, worker: str
) -> list[RunningJob]:
    """Claim jobs that this transaction has locked, and return them in this order: raise their fences, and start some.

    Args:
        starting: The jobs that start at once.
        waiting: Those that use up no attempt until `end_and_start`.
    """
    due = [*starting, *waiting]
    if not due:
        return []
    values = {"ids": [job.id for job in due], "starting": [job.id for job in starting], "worker": worker}
    await tx.execute(_leasing(tx.ops), {**values, "now": tx.clock_shift, "lease": tx.clock_shift + lease})
    return [
        RunningJob(
            id=job.id,
            kind=job.kind,
            queue=job.queue,
            payload=job.payload,
            fence=job.fence + 1,
            attempt=job.attempt + 1,
            max_attempts=job.max_attempts,
            crashes=job.crashes,
            lease=lease,
        )
        for job in due
    ]


@lru_cache
def _leasing(ops: SQLOps) -> Prepared:
    starts = among(JobRow.id, bindparam("starting"))
    return Prepared(
        update(JobRow)
        .where(among(JobRow.id, bindparam("ids")))
        .values(
            state=constant(JobState.RUNNING.value),
            attempt=JobRow.attempt + case((starts, _ONE), else_=constant(0)),
            fence=JobRow.fence + _ONE,
            lease_until=moved_clock(ops, "lease"),
            started_at=case((starts, moved_clock(ops))),
            worker=bindparam("worker"),
        )
    )


async def end_and_start(
    tx: WriteTx, *, ended: Collection[RunningJob], starting: Collection[RunningJob], is_last: bool = False
) -> set[UUID]:
    """Mark jobs done, and count an attempt of others, which start when this commits; return which were still ours.

    Args:
        is_last: Whether nothing follows in the transaction.
    """
    by_fence: dict[int, list[UUID]] = {}
    for job in (*ended, *starting):
        by_fence.setdefault(job.fence, []).append(job.id)
    change = _change_of_held(tx.ops, ends=bool(ended), starts=bool(starting))
    found: set[UUID] = set()
    # Almost all jobs run for the first time, so there is one statement.
    while by_fence:
        fence, ids = by_fence.popitem()
        send = tx.finish if is_last and not by_fence else tx.all
        rows = await send(change, {"ids": ids, "held_fence": fence, "now": tx.clock_shift})
        found.update(row.id for row in rows)
    return found


@lru_cache
def _change_of_held(ops: SQLOps, *, ends: bool, starts: bool) -> Prepared:
    # What is the same for all jobs is part of the text: the driver takes 4 µs to write a value.
    started = {"attempt": JobRow.attempt + _ONE, "started_at": moved_clock(ops)}
    done = {
        "state": constant(JobState.DONE.value),
        "payload": null(),
        "error": null(),
        "lease_until": null(),
        "worker": null(),
        "finished_at": moved_clock(ops),
    }
    changes: dict[str, Any] = done if ends else started
    if ends and starts:
        # What ends has started before, so the rows say which they are.
        changes = {
            **{name: case((_HAS_STARTED, value), else_=getattr(JobRow, name)) for name, value in done.items()},
            **{name: case((_HAS_STARTED, getattr(JobRow, name)), else_=value) for name, value in started.items()},
        }
    return Prepared(update(JobRow).where(_is_held()).values(changes).returning(JobRow.id))


def _is_held() -> ColumnElement[bool]:
    fence = JobRow.fence == bindparam("held_fence")
    return and_(among(JobRow.id, bindparam("ids")), in_state(JobState.RUNNING), fence)


async def end_superseded(tx: WriteTx, jobs: Collection[DueJob]) -> None:
    """Mark jobs done that this transaction has locked and that need not run, because a newer one will."""
    if jobs:
        await tx.execute(_superseding(tx.ops), {"ids": [job.id for job in jobs], "now": tx.clock_shift})


@lru_cache
def _superseding(ops: SQLOps) -> Prepared:
    done = {"state": JobState.DONE.value, "error": _SUPERSEDED, "payload": null(), "finished_at": moved_clock(ops)}
    return Prepared(update(JobRow).where(among(JobRow.id, bindparam("ids"))).values(done))


async def extend_lease(tx: WriteTx, job: RunningJob) -> bool:
    """Lock the row of a job until this transaction ends and renew its lease; return False if it is no longer ours."""
    values = {"ids": [job.id], "held_fence": job.fence, "lease": tx.clock_shift + job.lease}
    return await tx.execute(_renewal(tx.ops), values) == 1


@lru_cache
def _renewal(ops: SQLOps) -> Prepared:
    return Prepared(update(JobRow).where(_is_held()).values(lease_until=moved_clock(ops, "lease")))


async def extend_leases(tx: WriteTx, jobs: Collection[RunningJob], *, lease: timedelta) -> set[UUID]:
    """Renew the leases of these jobs and return the ids of those that are still ours.

    Skips a row that is locked by its own job's transaction, which renewed the lease when it began.
    """
    free = await tx.all(tx.ops.skip_locked(select(JobRow.id).where(_held(jobs))))
    await tx.execute(update(JobRow).where(JobRow.id.in_([row.id for row in free])).values(lease_until=tx.now(lease)))
    # A job that its handler has just marked done is not lost; its task is about to return.
    ours = JobRow.state.in_([JobState.RUNNING.value, JobState.DONE.value])
    return set(await tx.scalars(select(JobRow.id).where(_fenced(jobs), ours)))


async def end_job(tx: WriteTx, job: RunningJob, result: JobResult) -> bool:
    """End the run of a job; return False if it is no longer ours, or has been ended already."""
    if result == DONE:
        return bool(await end_and_start(tx, ended=[job], starting=[]))
    values: dict[str, Any] = {**_NOT_HELD, "state": result.state.value, "error": result.error}
    if result.state is JobState.READY:
        values["run_at"] = tx.now(result.delay)
    else:
        values["finished_at"] = tx.now()
    if result.state is JobState.DONE:
        values["payload"] = None
    return await tx.execute(update(JobRow).where(_held([job])).values(values)) == 1


async def release_jobs(tx: WriteTx, jobs: Collection[RunningJob]) -> int:
    """Make unfinished jobs ready again, as if they had not been claimed; return how many were still ours."""
    if not jobs:
        return 0
    attempt = JobRow.attempt - case((_HAS_STARTED, 1), else_=0)
    released = {**_NOT_HELD, "state": JobState.READY.value, "attempt": attempt}
    return await tx.execute(update(JobRow).where(_held(jobs)).values(released))


async def rescue_stalled(tx: WriteTx, *, limit: int) -> int:
    """Make jobs whose lease is over ready again, or dead after their last attempt; return their number.

    A job that its worker had not started may not have been the cause, so it goes back as it was.
    """
    # A clock that ran ahead has stored a lease that ends too late. If its worker is alive, the fence stops it.
    is_over = or_(JobRow.lease_until < tx.now(), JobRow.lease_until > tx.now(LEASE_MAX))
    expired = and_(in_state(JobState.RUNNING), is_over)
    rows = await tx.all(tx.ops.skip_locked(select(JobRow.id).where(expired).limit(limit)))
    if not rows:
        return 0
    is_last = and_(_HAS_STARTED, JobRow.attempt >= JobRow.max_attempts)
    return await tx.execute(
        update(JobRow)
        .where(JobRow.id.in_([row.id for row in rows]))
        .values(
            **_NOT_HELD,
            crashes=JobRow.crashes + case((_HAS_STARTED, 1), else_=0),
            state=case((is_last, JobState.DEAD.value), else_=JobState.READY.value),
            finished_at=case((is_last, tx.now())),
            error=case((_HAS_STARTED, "The worker that held the job stopped renewing its lease."), else_=JobRow.error),
        )
    )


def _fenced(jobs: Collection[RunningJob]) -> ColumnElement[bool]:
    return tuple_(JobRow.id, JobRow.fence).in_([(job.id, job.fence) for job in jobs])


def _held(jobs: Collection[RunningJob]) -> ColumnElement[bool]:
    return and_(in_state(JobState.RUNNING), _fenced(jobs))
