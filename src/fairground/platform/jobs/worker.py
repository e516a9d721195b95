"""The worker: claims due jobs, runs a bounded number of each queue at a time, and stops without losing any.

A job runs outside any transaction. How it ended is stored in one, which its fence must admit.
"""

import asyncio
import os
import random
import socket
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Queue
from fairground.platform.background_loops import repeat, wait
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import store
from fairground.platform.jobs.leases import Heartbeat, HeldJob, Rescuer
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
from fairground.platform.jobs.outbox import JobOutbox, Route, Routes
from fairground.platform.jobs.queues import claim_jobs
from fairground.platform.jobs.schedules import Scheduler
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.measures import DurationHistogram
from fairground.platform.module import Schedule

CANCEL_SECONDS: Final = 3  # for a cancelled handler to clean up
ERROR_MAX_CHARS: Final = 500
_DRAIN_LEASE: Final = timedelta(minutes=5)  # it has no heartbeat, and drained jobs are short

log = structlog.get_logger()


@dataclass
class JobStats:
    """Counts since the start of the process, by kinds of jobs, which the program knows."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and outcome: `done`, `discarded`, `retried`, `dead` or `lost`."""
    durations: defaultdict[str, DurationHistogram] = field(default_factory=lambda: defaultdict(DurationHistogram))
    rescued: int = 0
    """Jobs whose lease was over."""

    def add(self, kind: str, outcome: str, *, seconds: float) -> None:
        self.ended[kind, outcome] += 1
        self.durations[kind].add(seconds)


class Worker:
    """One worker; any number of processes may have one on the same database."""

    def __init__(
        self, *, db: Database, outbox: JobOutbox, schedules: Sequence[Schedule], settings: JobSettings
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stats = JobStats()
        self._db = db
        self._kinds = outbox.routes.kinds
        self._wake = outbox.wake
        self._settings = settings
        self._heartbeat = Heartbeat(db, lease=settings.lease)
        self._rescuer = Rescuer(db, lease=settings.lease, on_rescue=self._count_rescued)
        self._runner = JobRunner(db, routes=outbox.routes, stats=self.stats)
        self._scheduler = Scheduler(db, routes=outbox.routes, schedules=schedules)
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work while the block runs, and stop in order at its end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.run())
            try:
                yield
            finally:
                self.stop()

    async def run(self) -> None:
        """Work until `stop` is called and the running jobs have ended or were released."""
        log.info("worker.started", worker=self.name, kinds=len(self._kinds))
        async with asyncio.TaskGroup() as group:
            pause_max_seconds = self._heartbeat.pause_max_seconds
            group.create_task(repeat(self._heartbeat.beat, until=self._stopped, pause_max_seconds=pause_max_seconds))
            for step in (self._rescuer.rescue, self._enqueue_scheduled):
                group.create_task(repeat(step, until=self._stopped))
            await repeat(lambda: self._claim(group), until=self._stopping)
            await self._wind_down()
            self._stopped.set()
        log.info("worker.stopped", worker=self.name)

    def stop(self) -> None:
        """Ask the worker to claim nothing more and to end."""
        self._stopping.set()
        self._wake.set()

    async def _claim(self, group: asyncio.TaskGroup) -> float:
        self._wake.clear()
        held = self._heartbeat.held
        slots = self._free_slots(held)
        if slots and not any(each.job.runs_alone for each in held):
            claimed_at = asyncio.get_running_loop().time()
            for job in await claim_jobs(
                self._db,
                kinds=self._kinds,
                slots=slots,
                busy_queues={each.job.queue for each in held},
                lease=self._settings.lease,
                worker=self.name,
            ):
                task = group.create_task(self._work(job))
                self._heartbeat.add(job, task=task, claimed_at=claimed_at)
        await wait(self._wake, seconds=self._settings.poll_seconds)
        return 0

    def _free_slots(self, held: Sequence[HeldJob]) -> Mapping[Queue, int]:
        taken = Counter(each.job.queue for each in held)
        limits = self._settings.concurrency_by_queue
        return {queue: limit - taken[queue] for queue, limit in limits.items() if taken[queue] < limit}

    async def _work(self, job: RunningJob) -> None:
        try:
            await self._runner.run(job)
        finally:
            self._heartbeat.remove(job)
            self._wake.set()

    def _count_rescued(self, count: int) -> None:
        self.stats.rescued += count
        self._wake.set()

    async def _enqueue_scheduled(self) -> float:
        await self._scheduler.enqueue_due()
        return self._settings.poll_seconds

    async def _wind_down(self) -> None:
        if running := [held.task for held in self._heartbeat.held]:
            await asyncio.wait(running, timeout=self._settings.stop_seconds)
        unfinished = self._heartbeat.held
        if not unfinished:
            return
        for held in unfinished:
            held.task.cancel()
        await asyncio.wait([held.task for held in unfinished], timeout=CANCEL_SECONDS)
        try:
            async with self._db.write() as tx:
                count = await store.release_jobs(tx, [held.job for held in unfinished])
        except DatabaseUnavailable:
            count = 0  # their leases end instead
        log.info("worker.released_jobs", worker=self.name, count=count, unfinished=len(unfinished))


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
            await self._record_outcome(job, result)
            outcome = _outcome_of(result)
        except LostLease:
            log.warning("job.lease_lost", **facts)
        except Exception:
            # The other jobs continue. The lease of this one ends, and a worker rescues it.
            log.exception("job.outcome_not_stored", **facts)
        finally:
            self._stats.add(job.kind, outcome, seconds=time.perf_counter() - began_at)

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
            await route.handler(route.message_class.model_validate(job.payload))
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
        Exception: What a handler raised. The outcome of its job is stored, as a worker would have done.
    """
    count = 0
    while job := await _claim_next(db, kinds=routes.kinds):
        result = await run_handler(routes.of(job.kind), job)
        await record_outcome(db, job, result)
        if result.cause is not None:
            raise result.cause
        count += 1
    return count


async def _claim_next(db: Database, *, kinds: Sequence[str]) -> RunningJob | None:
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=kinds, slots=dict.fromkeys(Queue, 1))
        claimed = await store.lease_jobs(tx, due[:1], lease=_DRAIN_LEASE, worker="drain")
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
