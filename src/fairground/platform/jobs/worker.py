"""The worker: claims due jobs, runs a bounded number of each queue at a time, and stops without losing any."""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import store
from fairground.platform.jobs.execution import JobRunner, claim_jobs
from fairground.platform.jobs.leases import Heartbeat, HeldJob, Rescuer
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.metrics import JobStats
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.schedules import Scheduler
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.loops import repeat, wait
from fairground.platform.module import Schedule

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
