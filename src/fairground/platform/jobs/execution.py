"""One run of a job: claim it, let its handler work outside any transaction, write down how it ended."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from fairground.kernel.errors import Unavailable
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.routes import Route, Routes
from fairground.platform.jobs.running import RunningJob, working_on
from fairground.platform.jobs.states import DONE, Discard, Ending, JobState, LostLease, Retry

BACKOFF_MAX: Final = timedelta(hours=1)
ERROR_MAX_CHARS: Final = 500
_DRAIN_LEASE: Final = timedelta(minutes=5)  # nobody renews it, and drained jobs are short

log = structlog.get_logger()


async def claim_jobs(
    db: Database, *, kinds: Sequence[str], limit: int, is_idle: bool, lease: timedelta, worker: str
) -> list[RunningJob]:
    """Claim due jobs that may run beside each other.

    Args:
        is_idle: Whether nothing runs in this process, so that a job which has to run alone can start.
    """
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=kinds, limit=limit)
        return await store.lease_jobs(tx, choose_together(due, is_idle=is_idle), lease=lease, worker=worker)


def choose_together(due: Sequence[Any], *, is_idle: bool) -> Sequence[Any]:
    """Return the first of the due jobs that may start now.

    A job that once crashed comes alone, in its turn: until the worker is idle nothing behind it is taken, else a busy
    worker would never come to it.
    """
    if due and due[0].crashes:
        return due[:1] if is_idle else []
    position = next((index for index, row in enumerate(due) if row.crashes), len(due))
    return due[:position]


async def run_handler(route: Route, job: RunningJob) -> Ending:
    """Let the handler do its work and return how that ended.

    Raises:
        LostLease: Another worker has the job now; there is nothing to write down.
    """
    try:
        with working_on(job):
            await route.handler(route.message_class.model_validate(job.payload))
    except LostLease:
        raise
    except Retry as request:
        return _again(job, error=str(request), delay=request.after)
    except Discard as reason:
        return Ending(JobState.DONE, error=str(reason))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job is retried or dead
        return _again(job, error=describe(error), delay=backoff(job.attempt, share=_spread()), cause=error)
    return DONE


async def settle(db: Database, job: RunningJob, ending: Ending) -> None:
    """Write down how a run ended, unless the handler has done so in a transaction of its own."""
    async with db.write() as tx:
        was_running = await store.end_job(tx, job, ending)
    facts = {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempt}
    if not was_running and not job.is_ended_by_handler:
        log.warning("job.lease_lost", **facts)
    elif ending.cause is not None:
        log.warning("job.failed", **facts, state=ending.state.value, exc_info=ending.cause)


async def drain(db: Database, *, routes: Routes) -> int:
    """Run every due job, and those that they enqueue, until none is due; return how many ran.

    Raises:
        Exception: What a handler raised. Its job has been settled as a worker would have done.
    """
    count = 0
    while jobs := await claim_jobs(db, kinds=routes.kinds, limit=1, is_idle=True, lease=_DRAIN_LEASE, worker="drain"):
        for job in jobs:
            ending = await run_handler(routes.of(job.kind), job)
            await settle(db, job, ending)
            if ending.cause is not None:
                raise ending.cause
            count += 1
    return count


def backoff(attempt: int, *, share: float) -> timedelta:
    """Return how long to wait after the attempt: `share` of 2, 4, 8 … seconds, at most of an hour."""
    return min(BACKOFF_MAX, timedelta(seconds=2 ** min(attempt, 12))) * share


def describe(error: Exception) -> str:
    """Return what the dead letters show of an error: its first line, for the others may quote rows."""
    said = f"{error} {error.reason}" if isinstance(error, Unavailable) else str(error)
    first_line = next(iter(said.strip().splitlines()), "")
    return f"{type(error).__name__}: {first_line}"[:ERROR_MAX_CHARS]


def _again(job: RunningJob, *, error: str, delay: timedelta, cause: Exception | None = None) -> Ending:
    state = JobState.DEAD if job.attempt >= job.max_attempts else JobState.READY
    return Ending(state, delay=delay, error=error, cause=cause)


def _spread() -> float:
    # Jobs that failed together must not come back together.
    return random.uniform(0.5, 1)  # noqa: S311 - not a secret
