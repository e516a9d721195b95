"""The worker: claims due jobs, runs a bounded number of them at a time, and stops without losing any."""

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import store
from fairground.platform.jobs.execution import claim_jobs, run_handler, settle
from fairground.platform.jobs.leases import LeaseKeeper
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.persistence import repeat, wait
from fairground.platform.jobs.running import RunningJob
from fairground.platform.jobs.schedules import Scheduler
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.states import Ending, LostLease
from fairground.platform.jobs.stats import JobStats, outcome_of
from fairground.platform.module import Schedule

REAPED_AT_ONCE: Final = 100
CANCEL_SECONDS: Final = 3  # for a cancelled handler to clean up behind itself

log = structlog.get_logger()


class Worker:
    """One worker; any number of processes may have one on the same database."""

    def __init__(
        self, *, db: Database, outbox: JobOutbox, schedules: Sequence[Schedule], settings: JobSettings
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stats = JobStats()
        self._db = db
        self._routes = outbox.routes
        self._wake = outbox.wake
        self._settings = settings
        self._keeper = LeaseKeeper(db, lease=settings.lease)
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
        """Work until `stop` is called and the running jobs have ended or been given back."""
        log.info("worker.started", worker=self.name, kinds=len(self._routes.kinds))
        async with asyncio.TaskGroup() as group:
            pause_max_seconds = self._keeper.pause_max_seconds
            group.create_task(repeat(self._keeper.beat, until=self._stopped, pause_max_seconds=pause_max_seconds))
            for step in (self._reap, self._enqueue_scheduled):
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
        held = self._keeper.held
        is_full = len(held) >= self._settings.concurrency or any(each.job.runs_alone for each in held)
        if not is_full:
            claimed_at = asyncio.get_running_loop().time()
            for job in await claim_jobs(
                self._db,
                kinds=self._routes.kinds,
                limit=self._settings.concurrency - len(held),
                is_idle=not held,
                lease=self._settings.lease,
                worker=self.name,
            ):
                task = group.create_task(self._work(job))
                self._keeper.add(job, task=task, claimed_at=claimed_at)
        await wait(self._wake, seconds=self._settings.poll_seconds)
        return 0

    async def _work(self, job: RunningJob) -> None:
        began_at, outcome = time.perf_counter(), "lost"
        try:
            ending = await run_handler(self._routes.of(job.kind), job)
            await self._settle(job, ending)
            outcome = outcome_of(ending)
        except LostLease:
            log.warning("job.lease_lost", job_id=str(job.id), kind=job.kind, attempt=job.attempt)
        except Exception:
            # The other jobs go on; this one's lease runs out, and then it is tried again.
            log.exception("job.not_settled", job_id=str(job.id), kind=job.kind, attempt=job.attempt)
        finally:
            self.stats.add(job.kind, outcome, seconds=time.perf_counter() - began_at)
            self._keeper.remove(job)
            self._wake.set()

    async def _settle(self, job: RunningJob, ending: Ending) -> None:
        # While the database is away the work is done but not written down. Trying on, until the heartbeat gives the
        # job up, saves most of it from being done again.
        while True:
            try:
                return await settle(self._db, job, ending)
            except DatabaseUnavailable:
                await asyncio.sleep(1)

    async def _reap(self) -> float:
        async with self._db.write() as tx:
            count = await store.reap_jobs(tx, limit=REAPED_AT_ONCE)
        if count:
            log.warning("jobs.reaped", count=count)
            self.stats.reaped += count
            self._wake.set()
        # Jitter, so that workers which were started together do not look together for ever.
        return self._settings.lease_seconds / 6 * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret

    async def _enqueue_scheduled(self) -> float:
        await self._scheduler.enqueue_due()
        return self._settings.poll_seconds

    async def _wind_down(self) -> None:
        if running := [held.task for held in self._keeper.held]:
            await asyncio.wait(running, timeout=self._settings.stop_seconds)
        unfinished = self._keeper.held
        if not unfinished:
            return
        for held in unfinished:
            held.task.cancel()
        await asyncio.wait([held.task for held in unfinished], timeout=CANCEL_SECONDS)
        try:
            async with self._db.write() as tx:
                count = await store.release_jobs(tx, [held.job for held in unfinished])
        except DatabaseUnavailable:
            count = 0  # their leases run out instead
        log.info("worker.gave_back", worker=self.name, count=count, unfinished=len(unfinished))
