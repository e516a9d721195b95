"""A made-up shop for the tests of the job table: its messages, a handler that notes them, and looks at the table."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import select

from fairground.kernel.messages import Event, Job, Message
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.execution import claim_jobs
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.running import RunningJob
from fairground.platform.jobs.tables import JobRow

LEASE: Final = timedelta(seconds=30)


class OrderPaid(Event):
    topic: ClassVar = "shop.order_paid.v1"
    order_id: UUID


class PackOrder(Job):
    topic: ClassVar = "shop.pack_order.v1"
    max_attempts: ClassVar = 3
    order_id: UUID


class CountStock(Job):
    topic: ClassVar = "shop.count_stock.v1"


class Shop:
    """Notes the messages that reach it, and raises what it was told to raise, once each."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.raises: list[Exception] = []

    async def take(self, message: Message) -> None:
        self.taken.append(message)
        if self.raises:
            raise self.raises.pop(0)


async def enqueue(db: Database, *jobs: Job, delay: timedelta = timedelta(0)) -> None:
    async with db.write() as tx:
        for job in jobs:
            await tx.enqueue(job, delay=delay)


async def rows(db: Database) -> list[Any]:
    """Return every row of the job table, the oldest first."""
    async with db.read() as tx:
        return list(await tx.all(select(JobRow.__table__).order_by(JobRow.id)))


async def row(db: Database) -> Any:
    """Return the only row of the job table."""
    (found,) = await rows(db)
    return found


async def claim(db: Database, routes: Routes) -> RunningJob:
    (job,) = await claim_jobs(db, kinds=routes.kinds, limit=1, is_idle=True, lease=LEASE, worker="test")
    return job


async def lose(db: Database) -> None:
    """Let the leases of all running jobs run out, and take the jobs from their workers."""
    db.clock_shift += LEASE * 2
    async with db.write() as tx:
        assert await store.reap_jobs(tx, limit=10)


async def eventually(is_so: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(0.02)
