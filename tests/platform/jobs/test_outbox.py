import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message, Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import held_jobs, store
from fairground.platform.jobs.lifecycle import LostLease, working_on
from fairground.platform.jobs.outbox import JobOutbox, Routes, UnknownQueue
from tests.platform.jobs.shop import (
    LEASE,
    CountStock,
    MailReceipt,
    OrderPaid,
    PackOrder,
    PrintLabel,
    claim,
    enqueue,
    lose,
    row,
    rows,
)

EFFECTS = Table("effect", MetaData(), Column("id", Integer, primary_key=True))


@pytest.fixture
def effects(db: Database) -> Iterator[Table]:
    engine = db.backend.migration_engine()
    EFFECTS.create(engine)
    yield EFFECTS
    EFFECTS.drop(engine)
    engine.dispose()


async def count(db: Database, table: Table) -> Any:
    async with db.read() as tx:
        return await tx.scalar(select(func.count()).select_from(table))


async def test_each_subscriber_of_an_event_gets_its_own_delivery(db: Database) -> None:
    event = OrderPaid(order_id=uuid7())
    async with db.write() as tx:
        await tx.emit(event)
    written = await rows(db)
    assert [each.kind for each in written] == ["mail:shop.order_paid.v1", "ledger:shop.order_paid.v1"]
    assert {OrderPaid.model_validate(each.payload) for each in written} == {event}


async def test_event_without_a_handler_leaves_no_row(migrated_url: str, db: Database) -> None:
    lonely = Database(migrated_url, outbox=JobOutbox(Routes()))
    async with lonely.write() as tx:
        await tx.emit(OrderPaid(order_id=uuid7()))
    await lonely.close()
    assert await rows(db) == []


async def test_job_without_a_handler_is_refused_when_it_is_enqueued(migrated_url: str, db: Database) -> None:
    lonely = Database(migrated_url, outbox=JobOutbox(Routes()))
    with pytest.raises(LookupError, match=r"shop\.count_stock\.v1"):
        async with lonely.write() as tx:
            await tx.enqueue(CountStock())
    await lonely.close()
    assert await rows(db) == []


async def test_rolled_back_transaction_leaves_no_messages(db: Database, outbox: JobOutbox) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction must see the error too
        async with db.write() as tx:
            await tx.emit(OrderPaid(order_id=uuid7()))
            raise ZeroDivisionError
    assert await rows(db) == []
    assert not outbox.wake.is_set()


async def test_commit_with_messages_wakes_the_worker_of_this_process(db: Database, outbox: JobOutbox) -> None:
    async with db.write():
        pass
    assert not outbox.wake.is_set()
    async with db.write() as tx:
        await tx.enqueue(CountStock())
    assert outbox.wake.is_set()


async def test_delayed_job_is_due_by_the_clock_of_the_database(db: Database, routes: Routes) -> None:
    async with db.write() as tx:
        await tx.enqueue(CountStock(), delay=timedelta(minutes=10))
    async with db.write() as tx:
        assert await store.lock_due_jobs(tx, kinds=routes.kinds, slots={Queue.DEFAULT: 1}) == []
    db.clock_shift = timedelta(minutes=10, seconds=1)
    assert (await claim(db, routes)).attempt == 1


async def test_dedup_key_is_inserted_once_while_its_job_waits_or_runs(db: Database, routes: Routes) -> None:
    for _ in range(2):
        async with db.write() as tx:
            await tx.enqueue(CountStock(), dedup_key="today")
    job = await claim(db, routes)
    async with db.write() as tx:
        await tx.enqueue(CountStock(), dedup_key="today")
    assert len(await rows(db)) == 1
    with working_on(job):
        async with db.write(ends_job=True):
            pass
    async with db.write() as tx:
        await tx.enqueue(CountStock(), dedup_key="today")
    assert len(await rows(db)) == 2


async def test_job_ends_in_the_transaction_of_its_effects(db: Database, routes: Routes, effects: Table) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    with working_on(await claim(db, routes)):
        async with db.write(ends_job=True) as tx:
            await tx.execute(insert(effects).values(id=1))
    ended = await row(db)
    assert (ended.state, ended.payload, ended.lease_until, ended.worker) == ("done", None, None, None)
    assert await count(db, effects) == 1


async def test_job_has_not_ended_when_its_last_transaction_fails(db: Database, routes: Routes, effects: Table) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    with working_on(await claim(db, routes)), pytest.raises(ZeroDivisionError):  # noqa: PT012 - the same
        async with db.write(ends_job=True) as tx:
            await tx.execute(insert(effects).values(id=1))
            raise ZeroDivisionError
    assert (await row(db)).state == "running"
    assert await count(db, effects) == 0


@pytest.mark.parametrize("ends_job", [False, True])
async def test_write_of_a_lost_job_is_refused(db: Database, routes: Routes, effects: Table, *, ends_job: bool) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    zombie = await claim(db, routes)
    await lose(db)
    successor = await claim(db, routes)
    with working_on(zombie), pytest.raises(LostLease):
        async with db.write(ends_job=ends_job) as tx:
            await tx.execute(insert(effects).values(id=1))
    assert await count(db, effects) == 0
    assert (await row(db)).fence == successor.fence == zombie.fence + 1


async def test_control_without_the_fence_a_lost_job_writes(
    db: Database, routes: Routes, effects: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def let_pass(*_: Any, **__: Any) -> None: ...

    await enqueue(db, PackOrder(order_id=uuid7()))
    zombie = await claim(db, routes)
    await lose(db)
    await claim(db, routes)
    monkeypatch.setattr(JobOutbox, "begin", let_pass)
    with working_on(zombie):
        async with db.write(ends_job=True) as tx:
            await tx.execute(insert(effects).values(id=1))
    assert await count(db, effects) == 1


async def test_write_of_a_job_renews_its_lease(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    job = await claim(db, routes)
    before = (await row(db)).lease_until
    db.clock_shift = timedelta(seconds=20)
    with working_on(job):
        async with db.write():
            pass
    assert (await row(db)).lease_until - before >= timedelta(seconds=20)


async def test_job_is_not_rescued_during_its_transaction(
    migrated_url: str, db: Database, routes: Routes, outbox: JobOutbox
) -> None:
    """Between the check of the fence and the commit the row is locked, so the check still holds at the commit."""
    await enqueue(db, PackOrder(order_id=uuid7()))
    job = await claim(db, routes)
    other = Database(migrated_url, outbox=outbox)
    other.clock_shift = LEASE * 2
    async with contextlib.AsyncExitStack() as stack:
        with working_on(job):
            tx = await stack.enter_async_context(db.write(ends_job=True))
        if tx.ops.name == "postgresql":
            async with other.write() as rescuer:
                assert await held_jobs.rescue_stalled(rescuer, limit=10) == 0
    async with other.write() as rescuer:
        assert await held_jobs.rescue_stalled(rescuer, limit=10) == 0
    await other.close()
    assert (await row(db)).state == "done"


async def _ignore(_message: Message) -> None: ...


def test_event_reaches_every_module_with_a_handler() -> None:
    routes = Routes()
    routes.add("mail", handlers={OrderPaid: _ignore})
    routes.add("ledger", handlers={OrderPaid: _ignore})
    kinds = [route.kind for route in routes.subscribers(OrderPaid(order_id=uuid7()))]
    assert kinds == ["mail:shop.order_paid.v1", "ledger:shop.order_paid.v1"]


def test_job_with_two_handlers_is_refused() -> None:
    routes = Routes()
    routes.add("shop", handlers={CountStock: _ignore})
    with pytest.raises(ValueError, match="two handlers"):
        routes.add("mail", handlers={CountStock: _ignore})


def test_module_is_registered_once() -> None:
    routes = Routes()
    routes.add("mail", handlers={OrderPaid: _ignore})
    with pytest.raises(ValueError, match="twice"):
        routes.add("mail", handlers={OrderPaid: _ignore})


def test_job_without_a_handler_is_named() -> None:
    with pytest.raises(LookupError, match=r"shop\.count_stock\.v1"):
        Routes().handler_of(CountStock())


def test_message_waits_in_the_queue_of_its_class() -> None:
    routes = Routes()
    routes.add("shop", handlers={MailReceipt: _ignore, CountStock: _ignore})
    assert routes.handler_of(MailReceipt()).queue == Queue.MAIL
    assert routes.handler_of(CountStock()).queue == Queue.DEFAULT


def test_queue_of_a_consumer_goes_before_the_queue_of_the_message() -> None:
    routes = Routes()
    routes.add("mail", handlers={OrderPaid: _ignore}, queue=Queue.MAIL)
    routes.add("ledger", handlers={OrderPaid: _ignore})
    queues = {route.kind: route.queue for route in routes.subscribers(OrderPaid(order_id=uuid7()))}
    assert queues == {"mail:shop.order_paid.v1": "mail", "ledger:shop.order_paid.v1": "default"}


async def test_queue_and_priority_are_stored_with_each_delivery(db: Database) -> None:
    await enqueue(db, MailReceipt(), PrintLabel())
    assert [(each.queue, each.priority) for each in await rows(db)] == [("mail", 100), ("default", 10)]


def test_unknown_queue_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountStock, "queue", "chat")
    with pytest.raises(
        UnknownQueue, match=r"'shop:shop.count_stock.v1' names the queue 'chat'; there are default, mail"
    ):
        Routes().add("shop", handlers={CountStock: _ignore})
