"""Workers for the tests of the job table, and questions about the jobs that they run."""

from collections.abc import Awaitable, Callable
from typing import Any

from fairground.kernel.messages import Job
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.worker import Worker
from fairground.platform.module import Schedule
from tests.platform.jobs.shop import JOBS, rows


def make_worker(db: Database, outbox: JobOutbox, *, schedules: list[Schedule] | None = None, **settings: Any) -> Worker:
    """Return a worker with shorter times than a real one."""
    quick = {"lease_seconds": 2, "poll_seconds": 0.05, "stop_seconds": 5, **settings}
    return Worker(db=db, outbox=outbox, schedules=schedules or [], settings=JobSettings(**quick))


def handle_all_by(outbox: JobOutbox, handler: Callable[[Any], Awaitable[None]]) -> None:
    """Let one handler run all jobs of the shop."""
    outbox.routes = Routes()
    outbox.routes.add("shop", handlers=dict.fromkeys(JOBS, handler))


async def all_done(db: Database) -> bool:
    return {each.state for each in await rows(db)} == {"done"}


async def is_done(db: Database, job_class: type[Job]) -> bool:
    return {each.state for each in await rows(db) if each.kind.endswith(job_class.topic)} == {"done"}


async def is_running(db: Database) -> bool:
    return "running" in {each.state for each in await rows(db)}
