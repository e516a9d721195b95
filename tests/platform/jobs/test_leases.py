"""Leases that a clock ahead has stored end soon after the clock is right again."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import held_jobs, store
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.tables import JobRow
from tests.platform.jobs.outage import outage
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, claim, enqueue, eventually, row, rows
from tests.platform.jobs.workers import all_done, handle_all_by, is_done, is_running, make_worker


async def test_lease_longer_than_the_maximum_is_rescued(db: Database, routes: Routes) -> None:
    db.clock_shift = timedelta(hours=3)
    await enqueue(db, PackOrder(order_id=uuid7()))
    await claim(db, routes)
    db.clock_shift = timedelta(0)
    async with db.write() as tx:
        assert await held_jobs.rescue_stalled(tx, limit=10) == 1
    assert (await row(db)).state == "ready"


async def test_lease_of_the_maximum_length_is_kept(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    job = await claim(db, routes)
    async with db.write() as tx:
        await held_jobs.extend_leases(tx, [job], lease=held_jobs.LEASE_MAX)
    async with db.write() as tx:
        assert await held_jobs.rescue_stalled(tx, limit=10) == 0


async def test_long_job_keeps_its_lease(db: Database, outbox: JobOutbox) -> None:
    handle_all_by(outbox, lambda _job: asyncio.sleep(6))
    await enqueue(db, CountStock())
    async with make_worker(db, outbox, lease_seconds=5).running():
        await eventually(lambda: all_done(db))
    assert ((await row(db)).attempt, (await row(db)).crashes) == (1, 0)


# SQLite has one writer: there a transaction delays every other write, and is kept short for it.
@pytest.mark.parametrize("dialect", ["postgres"])
async def test_transaction_of_one_job_does_not_delay_the_heartbeat_of_others(db: Database, outbox: JobOutbox) -> None:
    async def work(job: CountStock | PackOrder) -> None:
        if isinstance(job, PackOrder):
            async with db.write():
                await asyncio.sleep(6)
        else:
            await asyncio.sleep(6)

    handle_all_by(outbox, work)
    await enqueue(db, CountStock(), PackOrder(order_id=uuid7()), CountStock())
    # Far longer than a shared machine stands still, and still shorter than the work.
    async with make_worker(db, outbox, lease_seconds=5).running():
        await eventually(lambda: all_done(db))
    assert {each.attempt for each in await rows(db)} == {1}


async def test_lost_job_is_cancelled_and_its_neighbours_go_on(db: Database, outbox: JobOutbox) -> None:
    cancelled: list[object] = []
    started = asyncio.Event()

    async def work(job: CountStock | PackOrder) -> None:
        started.set()
        try:
            await asyncio.sleep(1.5)
        except asyncio.CancelledError:
            cancelled.append(job)
            raise

    handle_all_by(outbox, work)
    lost = PackOrder(order_id=uuid7())
    await enqueue(db, lost, CountStock())
    async with make_worker(db, outbox).running():
        await started.wait()
        async with db.write() as tx:
            await tx.execute(
                update(JobRow).where(JobRow.kind == outbox.routes.handler_of(lost).kind).values(fence=JobRow.fence + 1)
            )
        await eventually(lambda: is_done(db, CountStock))
    assert cancelled[0] == lost
    assert {each.attempt for each in await rows(db) if each.kind.endswith(CountStock.topic)} == {1}


async def test_job_is_abandoned_before_another_worker_may_start_it(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    cancelled_at: list[float] = []

    async def work(_job: CountStock) -> None:
        try:
            await asyncio.sleep(0 if cancelled_at else 600)
        except asyncio.CancelledError:
            cancelled_at.append(time.monotonic())
            raise

    async def is_abandoned() -> bool:
        return bool(cancelled_at)

    handle_all_by(outbox, work)
    await enqueue(db, CountStock())
    async with make_worker(db, outbox).running():
        await eventually(lambda: is_running(db))
        with outage(migrated_url):
            renewed_before = time.monotonic()
            await eventually(is_abandoned)
        await eventually(lambda: all_done(db))
    assert cancelled_at[0] < renewed_before + 2
    assert ((await row(db)).attempt, (await row(db)).crashes) == (2, 1)


async def test_work_that_ended_during_an_outage_is_not_done_twice(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    handle_all_by(outbox, lambda _job: asyncio.sleep(0.5))
    await enqueue(db, CountStock())
    async with make_worker(db, outbox, lease_seconds=20).running():
        await eventually(lambda: is_running(db))
        with outage(migrated_url):
            await asyncio.sleep(1.5)
        await eventually(lambda: all_done(db))
    assert (await row(db)).attempt == 1


async def test_job_of_a_dead_worker_is_rescued(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    await enqueue(db, CountStock())
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=outbox.routes.kinds, slots={Queue.DEFAULT: 1})
        await held_jobs.lease_jobs(tx, starting=due, waiting=[], lease=timedelta(milliseconds=300), worker="dead")
    async with make_worker(db, outbox).running():
        await eventually(lambda: all_done(db))
    assert (shop.taken, (await row(db)).crashes) == ([CountStock()], 1)
