"""The worker process that `test_job_chaos` kills and freezes, and its jobs.

Each job leaves one row in the table of effects. A line "refused" is printed for each write that the fence refused.
"""

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any, ClassVar, Final

import uvloop
from sqlalchemy import Column, Integer, MetaData, Table, insert

from fairground.kernel.messages import Job
from fairground.platform.db.database import Database
from fairground.platform.jobs.lifecycle import LostLease
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.worker import Worker
from tests.support.processes import write_output_to

EFFECTS: Final = Table("chaos_effect", MetaData(), Column("id", Integer, primary_key=True), Column("number", Integer))
SETTINGS: Final = JobSettings(concurrency=3, lease_seconds=1.5, poll_seconds=0.1, stop_seconds=10)


class Leave(Job):
    """Leave one effect."""

    topic: ClassVar = "chaos.leave.v1"
    max_attempts: ClassVar = 100
    number: int


class Neighbour(Job):
    """Leave one effect, and have no more attempts than `Explode` has."""

    topic: ClassVar = "chaos.neighbour.v1"
    max_attempts: ClassVar = 3
    number: int


class Explode(Job):
    """Take the process down."""

    topic: ClassVar = "chaos.explode.v1"
    max_attempts: ClassVar = 3


class NoFence(JobOutbox):
    """The control: a job's writes are not checked against its fence, nor do they end it."""

    async def begin(self, *_: Any, **__: Any) -> None:
        pass


class Chaos:
    """The handlers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def leave(self, job: Leave | Neighbour) -> None:
        await asyncio.sleep(random.uniform(0.1, 0.6))
        # Shielded from cancellation, as work in a thread would be: the fence alone has to hold a zombie.
        await asyncio.shield(self._write(job))

    async def _write(self, job: Leave | Neighbour) -> None:
        try:
            async with self._db.write(ends_job=True) as tx:
                await tx.execute(insert(EFFECTS).values(number=job.number))
        except LostLease:
            print("refused", flush=True)
            raise

    async def explode(self, _job: Explode) -> None:
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)


def routes_of(chaos: Chaos) -> Routes:
    routes = Routes()
    routes.add("chaos", handlers={Leave: chaos.leave, Neighbour: chaos.leave, Explode: chaos.explode})
    return routes


async def main(url: str, *, has_fence: bool) -> None:
    outbox = (JobOutbox if has_fence else NoFence)(Routes())
    db = Database(url, outbox=outbox)
    outbox.routes = routes_of(Chaos(db))
    worker = Worker(db=db, outbox=outbox, schedules=[], settings=SETTINGS)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()
    await db.close()


def run(url: str, *, has_fence: bool, log: Path) -> None:
    """Be a worker until SIGTERM. What is printed goes to the end of the log."""
    write_output_to(log)
    uvloop.run(main(url, has_fence=has_fence))
