"""Running one claimed job: its handler, outside any transaction, and how that ended, which its fence must admit."""

import asyncio
import random
import time
from datetime import timedelta
from typing import Final

import structlog

from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import held_jobs, store
from fairground.platform.jobs.lifecycle import (
    BACKOFF_SHARES,
    DONE,
    CancelJob,
    JobResult,
    JobState,
    LostLease,
    Retry,
    RunningJob,
    backoff,
    working_on,
)
from fairground.platform.jobs.outbox import Route, Routes
from fairground.platform.jobs.stats import JobStats

ERROR_MAX_CHARS: Final = 500
_DRAIN_LEASE: Final = timedelta(minutes=5)  # it has no heartbeat, and drained jobs are short

log = structlog.get_logger()


class JobRunner:
    """Runs claimed jobs: their handlers, and the transaction that stores how each run ended."""

    def __init__(self, db: Database, *, routes: Routes, stats: JobStats) -> None:
        self._db = db
        self._routes = routes
        self._stats = stats

    async def run(self, job: RunningJob) -> bool:
        """Run a job to its end, and return whether that is stored or will never be.

        The end of a job that wrote nothing is left to the caller, who stores many with one statement. Never raises but
        for cancellation: a run without a stored end is rescued later.
        """
        began_at, outcome = time.perf_counter(), "lost"
        try:
            result = await run_handler(self._routes.of(job.kind), job)
            if result is DONE and not job.has_written:
                outcome = ""
                return False
            await self._record_outcome(job, result)
            outcome = _outcome_of(result)
        except LostLease:
            log.warning("job.lease_lost", **_facts(job))
        except Exception:
            # The other jobs continue. The lease of this one ends, and a worker rescues it.
            log.exception("job.outcome_not_stored", **_facts(job))
        finally:
            if outcome:
                self._stats.add(job.kind, outcome, seconds=time.perf_counter() - began_at)
        return True

    async def _record_outcome(self, job: RunningJob, result: JobResult) -> None:
        # Without a database the work is done but its end is not stored. Repeating this until the heartbeat abandons
        # the job keeps most of that work from being done twice.
        while True:
            try:
                return await record_outcome(self._db, job, result)
            except DatabaseUnavailable:
                await asyncio.sleep(1)


async def run_handler(route: Route, job: RunningJob) -> JobResult:
    """Run the handler and return how that ended.

    Raises:
        LostLease: Another worker holds the job now; there is nothing to store.
    """
    try:
        with working_on(job):
            await route.handler(route.parse(job.payload))
    except LostLease:
        raise
    except Retry as request:
        return _retry(job, error=str(request), delay=request.after)
    except CancelJob as reason:
        return JobResult(JobState.DONE, error=str(reason))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job is retried or dead
        share = random.uniform(*BACKOFF_SHARES)  # noqa: S311 - not a secret
        return _retry(job, error=describe(error), delay=backoff(job.attempt, share=share), cause=error)
    return DONE


async def record_outcome(db: Database, job: RunningJob, result: JobResult) -> None:
    """Store how a run ended, unless the handler has done so in a transaction of its own."""
    if result is DONE and job.is_ended:
        return
    async with db.write() as tx:
        was_running = await held_jobs.end_job(tx, job, result)
    if not was_running and not job.is_ended_by_handler:
        log.warning("job.lease_lost", **_facts(job))
    elif result.cause is not None:
        log.warning("job.failed", **_facts(job), state=result.state.value, exc_info=result.cause)


async def drain(db: Database, *, routes: Routes) -> int:
    """Run every due job, and those that they enqueue, one at a time until none is due; return how many ran.

    Raises:
        Exception: What a handler raised. The outcome of its job is stored, as a worker would have done.
    """
    count = 0
    while job := await _claim_next(db, routes=routes):
        result = await run_handler(routes.of(job.kind), job)
        await record_outcome(db, job, result)
        if result.cause is not None:
            raise result.cause
        count += 1
    return count


async def _claim_next(db: Database, *, routes: Routes) -> RunningJob | None:
    async with db.write() as tx:
        due = (await store.lock_due_jobs(tx, kinds=routes.kinds, slots=dict.fromkeys(Queue, 1)))[:1]
        claimed = await held_jobs.lease_jobs(tx, starting=due, waiting=[], lease=_DRAIN_LEASE, worker="drain")
    return claimed[0] if claimed else None


def describe(error: Exception) -> str:
    """Return what a dead letter shows of an error: its first line, because the others may quote rows."""
    message = f"{error} {error.reason}" if isinstance(error, Unavailable) else str(error)
    first_line = next(iter(message.strip().splitlines()), "")
    return f"{type(error).__name__}: {first_line}"[:ERROR_MAX_CHARS]


def _retry(job: RunningJob, *, error: str, delay: timedelta, cause: Exception | None = None) -> JobResult:
    state = JobState.DEAD if job.attempt >= job.max_attempts else JobState.READY
    return JobResult(state, delay=delay, error=error, cause=cause)


def _outcome_of(result: JobResult) -> str:
    match result.state:
        case JobState.DONE:
            return "discarded" if result.error else "done"
        case JobState.DEAD:
            return "dead"
        case _:
            return "retried"


def _facts(job: RunningJob) -> dict[str, object]:
    return {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempt}
