"""A shop for the tests of the job table: its messages, a handler that records them, and what the table holds."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import select

from fairground.kernel.messages import Event, Job, Message, Priority, Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import held_jobs
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.queues import claim_jobs
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


class PrintLabel(Job):
    """A reader waits for it."""

    topic: ClassVar = "shop.print_label.v1"
    priority: ClassVar = Priority.HIGH


class MailReceipt(Job):
    topic: ClassVar = "shop.mail_receipt.v1"
    queue: ClassVar = Queue.MAIL


class TakePayment(Job):
    topic: ClassVar = "shop.take_payment.v1"
    queue: ClassVar = Queue.MONEY


class IndexShelf(Job):
    topic: ClassVar = "shop.index_shelf.v1"
    queue: ClassVar = Queue.DISCOVERY


JOBS: Final[tuple[type[Job], ...]] = (PackOrder, CountStock, PrintLabel, MailReceipt, TakePayment, IndexShelf)


class Shop:
    """Records the messages that reach it, and raises the errors of `raises`, once each."""

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


async def claim_all(
    db: Database, routes: Routes, *, slots: Mapping[Queue, int], busy_queues: Collection[Queue] = ()
) -> list[RunningJob]:
    """Claim as a worker does that has so many free slots."""
    async with db.write() as tx:
        claimed = await claim_jobs(
            tx, routes=routes, slots=slots, free=slots, busy_queues=busy_queues, lease=LEASE, worker="test"
        )
    return list(claimed.jobs)


async def claim(db: Database, routes: Routes) -> RunningJob:
    (job,) = await claim_all(db, routes, slots={Queue.DEFAULT: 1})
    return job


async def lose(db: Database) -> None:
    """Let the leases of all running jobs end, and rescue the jobs from their workers."""
    db.clock_shift += LEASE * 2
    async with db.write() as tx:
        assert await held_jobs.rescue_stalled(tx, limit=10)


async def eventually(is_so: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(0.02)
