import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.running import working_on
from fairground.platform.jobs.states import LostLease
from tests.platform.jobs.shop import LEASE, CountStock, OrderPaid, PackOrder, claim, enqueue, lose, row, rows

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


async def test_each_subscriber_of_an_event_gets_a_delivery_of_its_own(db: Database) -> None:
    event = OrderPaid(order_id=uuid7())
    async with db.write() as tx:
        await tx.emit(event)
    written = await rows(db)
    assert [each.kind for each in written] == ["mail:shop.order_paid.v1", "ledger:shop.order_paid.v1"]
    assert {OrderPaid.model_validate(each.payload) for each in written} == {event}


async def test_an_event_that_nobody_takes_leaves_no_row(migrated_url: str, db: Database) -> None:
    lonely = Database(migrated_url, outbox=JobOutbox(Routes()))
    async with lonely.write() as tx:
        await tx.emit(OrderPaid(order_id=uuid7()))
    await lonely.close()
    assert await rows(db) == []


async def test_a_job_that_nobody_does_is_refused_where_it_is_asked_for(migrated_url: str, db: Database) -> None:
    lonely = Database(migrated_url, outbox=JobOutbox(Routes()))
    with pytest.raises(LookupError, match=r"shop\.count_stock\.v1"):
        async with lonely.write() as tx:
            await tx.enqueue(CountStock())
    await lonely.close()
    assert await rows(db) == []


async def test_messages_of_a_transaction_that_fails_were_never_written(db: Database, outbox: JobOutbox) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction must see the error too
        async with db.write() as tx:
            await tx.emit(OrderPaid(order_id=uuid7()))
            raise ZeroDivisionError
    assert await rows(db) == []
    assert not outbox.wake.is_set()


async def test_a_commit_with_messages_wakes_the_worker_of_this_process(db: Database, outbox: JobOutbox) -> None:
    async with db.write():
        pass
    assert not outbox.wake.is_set()
    async with db.write() as tx:
        await tx.enqueue(CountStock())
    assert outbox.wake.is_set()


async def test_a_delayed_job_is_due_by_the_clock_of_the_database(db: Database, routes: Routes) -> None:
    async with db.write() as tx:
        await tx.enqueue(CountStock(), delay=timedelta(minutes=10))
    async with db.write() as tx:
        assert await store.lock_due_jobs(tx, kinds=routes.kinds, limit=1) == []
    db.clock_shift = timedelta(minutes=10, seconds=1)
    assert (await claim(db, routes)).attempt == 1


async def test_a_key_is_written_once_while_its_job_waits_or_runs(db: Database, routes: Routes) -> None:
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


async def test_a_job_ends_in_the_transaction_of_its_effects(db: Database, routes: Routes, effects: Table) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    with working_on(await claim(db, routes)):
        async with db.write(ends_job=True) as tx:
            await tx.execute(insert(effects).values(id=1))
    ended = await row(db)
    assert (ended.state, ended.payload, ended.lease_until, ended.worker) == ("done", None, None, None)
    assert await count(db, effects) == 1


async def test_a_job_whose_last_transaction_fails_has_not_ended(db: Database, routes: Routes, effects: Table) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    with working_on(await claim(db, routes)), pytest.raises(ZeroDivisionError):  # noqa: PT012 - the same
        async with db.write(ends_job=True) as tx:
            await tx.execute(insert(effects).values(id=1))
            raise ZeroDivisionError
    assert (await row(db)).state == "running"
    assert await count(db, effects) == 0


@pytest.mark.parametrize("ends_job", [False, True])
async def test_a_job_that_was_lost_writes_nothing_more(
    db: Database, routes: Routes, effects: Table, *, ends_job: bool
) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    zombie = await claim(db, routes)
    await lose(db)
    successor = await claim(db, routes)
    with working_on(zombie), pytest.raises(LostLease):
        async with db.write(ends_job=ends_job) as tx:
            await tx.execute(insert(effects).values(id=1))
    assert await count(db, effects) == 0
    assert (await row(db)).fence == successor.fence == zombie.fence + 1


async def test_without_the_fence_a_lost_job_would_write(
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


async def test_a_write_of_a_job_renews_its_lease(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    job = await claim(db, routes)
    before = (await row(db)).lease_until
    db.clock_shift = timedelta(seconds=20)
    with working_on(job):
        async with db.write():
            pass
    assert (await row(db)).lease_until - before >= timedelta(seconds=20)


async def test_nobody_takes_a_job_over_in_the_middle_of_its_transaction(
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
            async with other.write() as reaper:
                assert await store.reap_jobs(reaper, limit=10) == 0
    async with other.write() as reaper:
        assert await store.reap_jobs(reaper, limit=10) == 0
    await other.close()
    assert (await row(db)).state == "done"
