"""The worker: claims due jobs, runs a bounded number of each queue at a time, and stops without losing any.

A job runs outside any transaction. How it ended is stored in one, which its fence must admit. The dispatcher decides
which jobs start.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from fairground.platform.background_loops import repeat, wait
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs import held_jobs
from fairground.platform.jobs.dispatcher import Dispatcher
from fairground.platform.jobs.leases import Heartbeat, Rescuer
from fairground.platform.jobs.lifecycle import (
    RunningJob,
)
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.runner import JobRunner
from fairground.platform.jobs.schedules import Scheduler
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.stats import JobStats
from fairground.platform.module import Schedule

CANCEL_SECONDS: Final = 3  # for a cancelled handler to clean up
ERROR_MAX_CHARS: Final = 500

log = structlog.get_logger()


class Worker:
    """One worker; any number of processes may have one on the same database."""

    def __init__(
        self, *, db: Database, outbox: JobOutbox, schedules: Sequence[Schedule], settings: JobSettings
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stats = JobStats()
        self._db = db
        self._wake = outbox.wake
        self._kind_count = len(outbox.routes.kinds)
        self._settings = settings
        self._heartbeat = Heartbeat(db, lease=settings.lease)
        self._rescuer = Rescuer(db, lease=settings.lease, on_rescue=self._count_rescued)
        self._runner = JobRunner(db, routes=outbox.routes, stats=self.stats)
        self._dispatcher = Dispatcher(
            db,
            outbox=outbox,
            heartbeat=self._heartbeat,
            stats=self.stats,
            settings=settings,
            worker=self.name,
        )
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
        log.info("worker.started", worker=self.name, kinds=self._kind_count)
        async with asyncio.TaskGroup() as group:
            pause_max_seconds = self._heartbeat.pause_max_seconds
            group.create_task(repeat(self._heartbeat.beat, until=self._stopped, pause_max_seconds=pause_max_seconds))
            for step in (self._rescuer.rescue, self._enqueue_scheduled):
                group.create_task(repeat(step, until=self._stopped))
            await repeat(lambda: self._dispatch(group), until=self._stopping)
            await self._wind_down()
            self._stopped.set()
        log.info("worker.stopped", worker=self.name)

    def stop(self) -> None:
        """Ask the worker to claim nothing more and to end."""
        self._stopping.set()
        self._wake.set()

    async def _dispatch(self, group: asyncio.TaskGroup) -> float:
        self._wake.clear()
        for job in await self._dispatcher.advance():
            self._heartbeat.start(job, group.create_task(self._work(job)))
        await wait(self._wake, seconds=self._dispatcher.seconds_to_poll())
        return 0

    async def _work(self, job: RunningJob) -> None:
        began_at, is_stored = time.perf_counter(), True
        try:
            is_stored = await self._runner.run(job)
        finally:
            self._dispatcher.note_end(job, seconds=time.perf_counter() - began_at, is_stored=is_stored)
            self._wake.set()

    def _count_rescued(self, count: int) -> None:
        self.stats.rescued += count
        self._dispatcher.look_again()
        self._wake.set()

    async def _enqueue_scheduled(self) -> float:
        await self._scheduler.enqueue_due()
        return self._settings.poll_seconds

    async def _wind_down(self) -> None:
        await self._stop_dispatching()
        if running := self._heartbeat.tasks:
            await asyncio.wait(running, timeout=self._settings.stop_seconds)
        await self._stop_dispatching()
        unfinished = self._heartbeat.held
        if not unfinished:
            return
        tasks = self._heartbeat.tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        try:
            async with self._db.write() as tx:
                count = await held_jobs.release_jobs(tx, [held.job for held in unfinished])
        except DatabaseUnavailable:
            count = 0  # their leases end instead
        log.info("worker.released_jobs", worker=self.name, count=count, unfinished=len(unfinished))

    async def _stop_dispatching(self) -> None:
        with contextlib.suppress(DatabaseUnavailable):  # the leases of these jobs end instead
            await self._dispatcher.stop()
