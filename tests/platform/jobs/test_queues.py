"""Queues and priorities: what waits in one queue delays no other one, and what a reader waits for goes first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message, Priority, Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs.lifecycle import Retry
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.queues import QueueDepth, QueueDepths, choose_startable, measure_queues
from fairground.platform.jobs.runner import drain
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.tables import JobRow
from tests.platform.jobs.shop import (
    LEASE,
    CountStock,
    IndexShelf,
    MailReceipt,
    PackOrder,
    PrintLabel,
    Shop,
    TakePayment,
    claim_all,
    enqueue,
    eventually,
    lose,
    row,
    rows,
)
from tests.platform.jobs.workers import handle_all_by, make_worker
from tests.support.statements import Statement, statements_of

LIMITS = JobSettings().concurrency_by_queue
WAITING = 1_000


class Barrier:
    """Blocks jobs of the default queue and of discovery until it is opened; others pass, and are recorded."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.blocked: Counter[type[Message]] = Counter()
        self.passed: list[Message] = []

    async def handle(self, message: Message) -> None:
        if isinstance(message, CountStock | IndexShelf):
            self.blocked[type(message)] += 1
            await self.opened.wait()
        else:
            self.passed.append(message)


@pytest.fixture
async def barrier(outbox: JobOutbox) -> AsyncIterator[Barrier]:
    barrier = Barrier()
    handle_all_by(outbox, barrier.handle)
    yield barrier
    barrier.opened.set()


async def add_waiting(db: Database) -> None:
    """Let a thousand jobs wait, half of them in each of the two queues that block."""
    async with db.write() as tx:
        for _ in range(WAITING // 2):
            await tx.enqueue(CountStock())
            await tx.enqueue(IndexShelf())


async def test_full_queues_delay_no_mail_and_no_payment(db: Database, outbox: JobOutbox, barrier: Barrier) -> None:
    await add_waiting(db)

    async def is_full() -> bool:
        limits = {CountStock: LIMITS[Queue.DEFAULT], IndexShelf: LIMITS[Queue.DISCOVERY]}
        return barrier.blocked == limits

    async def have_passed() -> bool:
        return len(barrier.passed) == 2

    async with make_worker(db, outbox, stop_seconds=0).running():
        await eventually(is_full)
        await enqueue(db, MailReceipt(), TakePayment())
        await eventually(have_passed)
        assert await is_full(), "Every slot is still taken."
    assert set(barrier.passed) == {MailReceipt(), TakePayment()}


async def test_control_with_one_shared_queue_mail_and_payment_wait(
    db: Database, outbox: JobOutbox, barrier: Barrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for message_class in (IndexShelf, MailReceipt, TakePayment):
        monkeypatch.setattr(message_class, "queue", Queue.DEFAULT)
    handle_all_by(outbox, barrier.handle)
    await add_waiting(db)
    limit = LIMITS[Queue.DEFAULT]

    async def is_full() -> bool:
        return barrier.blocked.total() == limit

    async with make_worker(db, outbox, stop_seconds=0).running():
        await eventually(is_full)
        await enqueue(db, MailReceipt(), TakePayment())
        with statements_of(db) as statements:
            # A look that began before the commit may not see the two; the one after it does.
            await eventually(lambda: _has_looked_twice(statements))
    assert barrier.passed == []
    states = {each.kind: each.state for each in await rows(db)}
    assert states[outbox.routes.handler_of(MailReceipt()).kind] == "ready"
    assert states[outbox.routes.handler_of(TakePayment()).kind] == "ready"


async def _has_looked_twice(statements: list[Statement]) -> bool:
    return len([sql for sql, _ in statements if "jobs_job.payload" in sql]) >= 2


async def _place_behind_an_old_queue(db: Database, routes: Routes, shop: Shop) -> int:
    """Return how many jobs that have waited for five hours run before one that has just been enqueued."""
    await enqueue(db, *(PackOrder(order_id=uuid7()) for _ in range(3)))
    db.clock_shift = timedelta(hours=5)
    await enqueue(db, PrintLabel())
    assert await drain(db, routes=routes) == 4
    return shop.taken.index(PrintLabel())


async def test_high_priority_goes_before_a_queue_of_any_age(db: Database, routes: Routes, shop: Shop) -> None:
    assert await _place_behind_an_old_queue(db, routes, shop) == 0


async def test_control_with_normal_priority_an_old_queue_goes_first(
    db: Database, routes: Routes, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrintLabel, "priority", Priority.NORMAL)
    assert await _place_behind_an_old_queue(db, routes, shop) == 3


async def test_retry_keeps_its_priority(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("no paper", after=timedelta(minutes=1))]
    await enqueue(db, PrintLabel())
    assert await drain(db, routes=routes) == 1
    await enqueue(db, *(PackOrder(order_id=uuid7()) for _ in range(2)))
    db.clock_shift = timedelta(minutes=2)
    await drain(db, routes=routes)
    assert [type(message) for message in shop.taken] == [PrintLabel, PrintLabel, PackOrder, PackOrder]


async def test_delayed_job_of_high_priority_waits_for_its_due_time(db: Database, routes: Routes) -> None:
    await enqueue(db, PrintLabel(), delay=timedelta(hours=1))
    assert await drain(db, routes=routes) == 0


async def test_all_queues_are_read_by_one_statement(db: Database, routes: Routes) -> None:
    with statements_of(db) as statements:
        assert await claim_all(db, routes, slots=LIMITS) == []
    assert len(statements) == 1


async def test_each_queue_is_claimed_up_to_its_free_slots(db: Database, routes: Routes) -> None:
    await enqueue(
        db, *(CountStock() for _ in range(4)), *(PrintLabel() for _ in range(4)), MailReceipt(), TakePayment()
    )
    claimed = await claim_all(db, routes, slots={Queue.DEFAULT: 6, Queue.MAIL: 3})
    assert Counter(job.queue for job in claimed) == {"default": 6, "mail": 1}
    assert [job.kind for job in claimed[:4]] == ["shop:shop.print_label.v1"] * 4


async def test_jobs_of_a_queue_that_this_code_does_not_know_wait(db: Database, routes: Routes) -> None:
    await enqueue(db, CountStock())
    async with db.write() as tx:
        await tx.execute(update(JobRow).values(queue="newer"))
    assert await drain(db, routes=routes) == 0
    assert (await row(db)).state == "ready"


async def test_suspect_stops_its_own_queue_until_that_is_idle(db: Database, routes: Routes) -> None:
    """A suspect is a job that a worker crashed with."""
    await enqueue(db, CountStock())
    (suspect,) = await claim_all(db, routes, slots={Queue.DEFAULT: 1})
    await lose(db)
    await enqueue(db, CountStock(), MailReceipt())
    busy = {Queue.DEFAULT}
    (mail,) = await claim_all(db, routes, slots={Queue.DEFAULT: 3, Queue.MAIL: 3}, busy_queues=busy)
    assert mail.queue == Queue.MAIL
    assert (await claim_all(db, routes, slots={Queue.DEFAULT: 3}))[0].id == suspect.id


async def test_suspect_stops_every_queue_once_its_own_is_idle(db: Database, routes: Routes) -> None:
    await enqueue(db, CountStock())
    (suspect,) = await claim_all(db, routes, slots={Queue.DEFAULT: 1})
    await lose(db)
    async with db.write() as tx:
        await tx.enqueue(MailReceipt(), delay=-3 * LEASE)
    await enqueue(db, TakePayment())
    slots = dict.fromkeys(Queue, 3)
    # Mail that was due before the suspect still starts, and nothing that became due after it.
    assert [job.queue for job in await claim_all(db, routes, slots=slots, busy_queues={Queue.PICTURES})] == ["mail"]
    assert await claim_all(db, routes, slots=slots, busy_queues={Queue.MAIL}) == []
    assert [job.id for job in await claim_all(db, routes, slots=slots)] == [suspect.id]


def test_without_due_jobs_none_is_startable() -> None:
    assert choose_startable([], busy_queues=()) == []


NOTHING = QueueDepth(due=0, oldest_due_seconds=0.0)


async def test_queues_without_jobs_are_empty(db: Database) -> None:
    assert await measure_queues(db) == QueueDepths(queues=dict.fromkeys(Queue, NOTHING), dead=0)


async def test_queues_are_measured_by_the_clock_of_the_database(db: Database) -> None:
    await enqueue(db, CountStock(), CountStock(), MailReceipt())
    await asyncio.sleep(0.05)
    depths = await measure_queues(db)
    assert (depths.due, depths.dead) == (3, 0)
    assert {queue: depth.due for queue, depth in depths.queues.items() if depth.due} == {"default": 2, "mail": 1}
    assert 0.02 < depths.oldest_due_seconds < 60


async def test_depth_counts_every_priority_and_no_delayed_job(db: Database) -> None:
    await enqueue(db, CountStock())
    db.clock_shift = timedelta(seconds=30)
    await enqueue(db, PrintLabel(), MailReceipt())
    await enqueue(db, CountStock(), delay=timedelta(hours=1))
    queues = (await measure_queues(db)).queues
    assert (queues[Queue.DEFAULT].due, queues[Queue.MAIL].due) == (2, 1)
    assert 30 <= queues[Queue.DEFAULT].oldest_due_seconds < 60
    assert queues[Queue.MAIL].oldest_due_seconds < 30
