"""One run of a job: claim it, run its handler outside any transaction, store how it ended."""

import asyncio
import random
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import store
from fairground.platform.jobs.lifecycle import (
    DONE,
    CancelJob,
    JobResult,
    JobState,
    LostLease,
    Retry,
    RunningJob,
    working_on,
)
from fairground.platform.jobs.metrics import JobStats, outcome_of
from fairground.platform.jobs.outbox import Route, Routes
from fairground.platform.jobs.store import DueJob

BACKOFF_MAX: Final = timedelta(hours=1)
ERROR_MAX_CHARS: Final = 500
_DRAIN_LEASE: Final = timedelta(minutes=5)  # it has no heartbeat, and drained jobs are short

log = structlog.get_logger()


async def claim_jobs(
    db: Database,
    *,
    kinds: Sequence[str],
    slots: Mapping[Queue, int],
    busy_queues: Collection[Queue],
    lease: timedelta,
    worker: str,
) -> list[RunningJob]:
    """Claim due jobs that may run beside each other.

    Args:
        slots: How many jobs of each queue may start.
        busy_queues: The queues of the jobs that this process runs already.
    """
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=kinds, slots=slots)
        return await store.lease_jobs(tx, choose_startable(due, busy_queues=busy_queues), lease=lease, worker=worker)


def choose_startable(due: Sequence[DueJob], *, busy_queues: Collection[Queue]) -> list[DueJob]:
    """Return the due jobs that may start now, in the order in which they were given.

    A job that once crashed (a suspect) runs alone in the process. Its own queue starts nothing behind it, so that
    queue ends its running jobs. From then on no queue starts what became due after the suspect, so the process becomes
    idle and the suspect starts. Other queues stop for that last part only.
    """
    startable, suspects = [], dict[Queue, DueJob]()
    for job in due:
        if job.crashes:
            suspects.setdefault(job.queue, job)
        elif job.queue not in suspects:
            startable.append(job)
    next_suspects = [job for queue, job in suspects.items() if queue not in busy_queues]
    if not next_suspects:
        return startable
    suspect = min(next_suspects, key=_due_order)
    earlier = [job for job in startable if _due_order(job) < _due_order(suspect)]
    return earlier if earlier or busy_queues else [suspect]


def _due_order(job: DueJob) -> tuple[object, ...]:
    return job.run_at, job.id


class JobRunner:
    """Runs claimed jobs: their handlers, and the transaction that stores how each run ended."""

    def __init__(self, db: Database, *, routes: Routes, stats: JobStats) -> None:
        self._db = db
        self._routes = routes
        self._stats = stats

    async def run(self, job: RunningJob) -> None:
        """Run a job to its end. Never raises but for cancellation: a run without a stored end is rescued later."""
        facts = {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempt}
        began_at, outcome = time.perf_counter(), "lost"
        try:
            result = await run_handler(self._routes.of(job.kind), job)
            await self._settle(job, result)
            outcome = outcome_of(result)
        except LostLease:
            log.warning("job.lease_lost", **facts)
        except Exception:
            # The other jobs go on. The lease of this one ends, and a worker rescues it.
            log.exception("job.not_settled", **facts)
        finally:
            self._stats.add(job.kind, outcome, seconds=time.perf_counter() - began_at)

    async def _settle(self, job: RunningJob, result: JobResult) -> None:
        # Without a database the work is done but its end is not stored. Repeating this until the heartbeat abandons
        # the job saves most of that work from being done twice.
        while True:
            try:
                return await settle(self._db, job, result)
            except DatabaseUnavailable:
                await asyncio.sleep(1)


async def run_handler(route: Route, job: RunningJob) -> JobResult:
    """Run the handler and return how that ended.

    Raises:
        LostLease: Another worker holds the job now; there is nothing to store.
    """
    try:
        with working_on(job):
            await route.handler(route.message_class.model_validate(job.payload))
    except LostLease:
        raise
    except Retry as request:
        return _retry(job, error=str(request), delay=request.after)
    except CancelJob as reason:
        return JobResult(JobState.DONE, error=str(reason))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job is retried or dead
        return _retry(job, error=describe(error), delay=backoff(job.attempt, share=_jitter()), cause=error)
    return DONE


async def settle(db: Database, job: RunningJob, result: JobResult) -> None:
    """Store how a run ended, unless the handler has done so in a transaction of its own."""
    async with db.write() as tx:
        was_running = await store.end_job(tx, job, result)
    facts = {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempt}
    if not was_running and not job.is_ended_by_handler:
        log.warning("job.lease_lost", **facts)
    elif result.cause is not None:
        log.warning("job.failed", **facts, state=result.state.value, exc_info=result.cause)


async def drain(db: Database, *, routes: Routes) -> int:
    """Run every due job, and those that they enqueue, one at a time until none is due; return how many ran.

    Raises:
        Exception: What a handler raised. Its job has been settled as a worker would have done.
    """
    count = 0
    while job := await _claim_next(db, kinds=routes.kinds):
        result = await run_handler(routes.of(job.kind), job)
        await settle(db, job, result)
        if result.cause is not None:
            raise result.cause
        count += 1
    return count


async def _claim_next(db: Database, *, kinds: Sequence[str]) -> RunningJob | None:
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=kinds, slots=dict.fromkeys(Queue, 1))
        claimed = await store.lease_jobs(tx, due[:1], lease=_DRAIN_LEASE, worker="drain")
    return claimed[0] if claimed else None


def backoff(attempt: int, *, share: float) -> timedelta:
    """Return how long to wait after the attempt: `share` of 2, 4, 8 … seconds, at most of an hour."""
    return min(BACKOFF_MAX, timedelta(seconds=2 ** min(attempt, 12))) * share


def describe(error: Exception) -> str:
    """Return what the dead letters show of an error: its first line, for the others may quote rows."""
    message = f"{error} {error.reason}" if isinstance(error, Unavailable) else str(error)
    first_line = next(iter(message.strip().splitlines()), "")
    return f"{type(error).__name__}: {first_line}"[:ERROR_MAX_CHARS]


def _retry(job: RunningJob, *, error: str, delay: timedelta, cause: Exception | None = None) -> JobResult:
    state = JobState.DEAD if job.attempt >= job.max_attempts else JobState.READY
    return JobResult(state, delay=delay, error=error, cause=cause)


def _jitter() -> float:
    # Jobs that failed together must not come back together.
    return random.uniform(0.5, 1)  # noqa: S311 - not a secret
