"""Leases that a clock ahead has stored end soon after the clock is right again."""

from datetime import timedelta

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.routes import Routes
from tests.platform.jobs.shop import PackOrder, claim, enqueue, row


async def test_lease_that_ends_later_than_any_may_is_taken_from_its_worker(db: Database, routes: Routes) -> None:
    db.clock_shift = timedelta(hours=3)
    await enqueue(db, PackOrder(order_id=uuid7()))
    await claim(db, routes)
    db.clock_shift = timedelta(0)
    async with db.write() as tx:
        assert await store.reap_jobs(tx, limit=10) == 1
    assert (await row(db)).state == "ready"


async def test_longest_lease_that_can_be_set_is_kept(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    job = await claim(db, routes)
    async with db.write() as tx:
        await store.extend_leases(tx, [job], lease=store.LEASE_MAX)
    async with db.write() as tx:
        assert await store.reap_jobs(tx, limit=10) == 0
