import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.dead_letters import count_jobs
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.states import JobState
from fairground.platform.jobs.tables import JobRow
from fairground.platform.jobs.worker import Worker
from fairground.platform.module import Schedule
from tests.platform.jobs.outage import outage
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, enqueue, eventually, row, rows


def worker(db: Database, outbox: JobOutbox, *, schedules: list[Schedule] | None = None, **settings: Any) -> Worker:
    """Return a worker that is quicker than a real one in everything."""
    quick = {"lease_seconds": 2, "poll_seconds": 0.05, "stop_seconds": 5, **settings}
    return Worker(db=db, outbox=outbox, schedules=schedules or [], settings=JobSettings(**quick))


def only(outbox: JobOutbox, handler: Callable[[Any], Awaitable[None]]) -> None:
    """Let one handler take all work."""
    outbox.routes = Routes()
    outbox.routes.add("shop", handlers={CountStock: handler, PackOrder: handler})


async def all_done(db: Database) -> bool:
    return {each.state for each in await rows(db)} == {"done"}


async def test_a_message_of_this_process_is_taken_at_once(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    async with worker(db, outbox, poll_seconds=60).running():
        await asyncio.sleep(0.3)
        await enqueue(db, CountStock())
        await eventually(lambda: all_done(db), seconds=5)
    assert shop.taken == [CountStock()]


async def test_a_message_of_another_process_is_found_by_polling(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    other = Database(migrated_url, outbox=JobOutbox(outbox.routes), is_secondary=True)
    async with worker(db, outbox).running():
        await asyncio.sleep(0.3)
        await enqueue(other, CountStock())
        await eventually(lambda: all_done(db), seconds=5)
    await other.close()


async def test_a_schedule_is_kept(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    often = Schedule(CountStock(), every=timedelta(milliseconds=200), runs_at_start=True)

    async def has_run_twice() -> bool:
        return len(shop.taken) >= 2

    async with worker(db, outbox, schedules=[often]).running():
        await eventually(has_run_twice)


async def test_only_so_many_jobs_run_at_once(db: Database, outbox: JobOutbox) -> None:
    running, most = 0, 0

    async def work(_job: CountStock) -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.05)
        running -= 1

    only(outbox, work)
    await enqueue(db, *(CountStock() for _ in range(12)))
    async with worker(db, outbox, concurrency=3).running():
        await eventually(lambda: all_done(db))
    assert most == 3


async def test_one_failure_leaves_the_other_jobs_alone(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    shop.raises = [ZeroDivisionError()]
    await enqueue(db, *(CountStock() for _ in range(5)))

    async def four_are_done() -> bool:
        return (await count_jobs(db))[JobState.DONE] == 4

    async with worker(db, outbox).running():
        await eventually(four_are_done)


async def test_a_long_job_keeps_its_lease(db: Database, outbox: JobOutbox) -> None:
    only(outbox, lambda _job: asyncio.sleep(6))
    await enqueue(db, CountStock())
    async with worker(db, outbox, lease_seconds=5).running():
        await eventually(lambda: all_done(db))
    assert ((await row(db)).attempt, (await row(db)).crashes) == (1, 0)


# SQLite has one writer: there a transaction holds up everybody, and is kept short for it.
@pytest.mark.parametrize("dialect", ["postgres"])
async def test_a_job_in_a_transaction_does_not_hold_up_the_heartbeat_of_the_others(
    db: Database, outbox: JobOutbox
) -> None:
    async def work(job: CountStock | PackOrder) -> None:
        if isinstance(job, PackOrder):
            async with db.write():
                await asyncio.sleep(6)
        else:
            await asyncio.sleep(6)

    only(outbox, work)
    await enqueue(db, CountStock(), PackOrder(order_id=uuid7()), CountStock())
    # Far longer than a shared machine stands still, and still shorter than the work.
    async with worker(db, outbox, lease_seconds=5).running():
        await eventually(lambda: all_done(db))
    assert {each.attempt for each in await rows(db)} == {1}


async def test_a_worker_that_stops_lets_running_jobs_end(db: Database, outbox: JobOutbox) -> None:
    started = asyncio.Event()

    async def work(_job: CountStock) -> None:
        started.set()
        await asyncio.sleep(0.5)

    only(outbox, work)
    await enqueue(db, CountStock())
    async with worker(db, outbox, concurrency=1).running():
        await started.wait()
        await enqueue(db, CountStock())
    assert [each.state for each in await rows(db)] == ["done", "ready"]


async def test_a_worker_that_stops_gives_back_what_does_not_end(db: Database, outbox: JobOutbox) -> None:
    started = asyncio.Event()

    async def work(_job: CountStock) -> None:
        started.set()
        await asyncio.sleep(600)

    only(outbox, work)
    await enqueue(db, CountStock())
    async with worker(db, outbox, stop_seconds=0.2).running():
        await started.wait()
    given_back = await row(db)
    assert (given_back.state, given_back.attempt, given_back.crashes) == ("ready", 0, 0)
    assert (given_back.lease_until, given_back.worker) == (None, None)


async def test_a_worker_stops_while_the_database_is_away(db: Database, outbox: JobOutbox, migrated_url: str) -> None:
    async with worker(db, outbox).running():
        await asyncio.sleep(0.2)
        with outage(migrated_url):
            await asyncio.sleep(0.5)
            stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < 8


async def test_a_job_that_was_taken_away_is_cancelled_and_its_neighbours_go_on(db: Database, outbox: JobOutbox) -> None:
    cancelled: list[object] = []
    started = asyncio.Event()

    async def work(job: CountStock | PackOrder) -> None:
        started.set()
        try:
            await asyncio.sleep(1.5)
        except asyncio.CancelledError:
            cancelled.append(job)
            raise

    only(outbox, work)
    taken_away = PackOrder(order_id=uuid7())
    await enqueue(db, taken_away, CountStock())
    async with worker(db, outbox).running():
        await started.wait()
        async with db.write() as tx:
            await tx.execute(
                update(JobRow).where(JobRow.kind == outbox.routes.taker(taken_away)).values(fence=JobRow.fence + 1)
            )
        await eventually(lambda: _is_done(db, CountStock))
    assert cancelled[0] == taken_away
    assert {each.attempt for each in await rows(db) if each.kind.endswith(CountStock.topic)} == {1}


async def _is_done(db: Database, job_class: type[CountStock]) -> bool:
    return {each.state for each in await rows(db) if each.kind.endswith(job_class.topic)} == {"done"}


async def test_a_worker_gives_its_jobs_up_before_another_may_start_them(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    cancelled_at: list[float] = []

    async def work(_job: CountStock) -> None:
        try:
            await asyncio.sleep(0 if cancelled_at else 600)
        except asyncio.CancelledError:
            cancelled_at.append(time.monotonic())
            raise

    async def is_given_up() -> bool:
        return bool(cancelled_at)

    only(outbox, work)
    await enqueue(db, CountStock())
    async with worker(db, outbox).running():
        await eventually(lambda: _is_running(db))
        with outage(migrated_url):
            renewed_before = time.monotonic()
            await eventually(is_given_up)
        await eventually(lambda: all_done(db))
    assert cancelled_at[0] < renewed_before + 2
    assert ((await row(db)).attempt, (await row(db)).crashes) == (2, 1)


async def _is_running(db: Database) -> bool:
    return "running" in {each.state for each in await rows(db)}


async def test_work_that_ended_while_the_database_was_away_is_not_done_again(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    only(outbox, lambda _job: asyncio.sleep(0.5))
    await enqueue(db, CountStock())
    async with worker(db, outbox, lease_seconds=20).running():
        await eventually(lambda: _is_running(db))
        with outage(migrated_url):
            await asyncio.sleep(1.5)
        await eventually(lambda: all_done(db))
    assert (await row(db)).attempt == 1


async def test_a_job_that_crashed_a_worker_has_no_neighbours(db: Database, outbox: JobOutbox) -> None:
    running: set[int] = set()
    seen: dict[type, int] = {}

    async def work(job: CountStock | PackOrder) -> None:
        running.add(id(job))
        await asyncio.sleep(0.1)
        seen[type(job)] = max(seen.get(type(job), 0), len(running))
        await asyncio.sleep(0.1)
        running.discard(id(job))

    only(outbox, work)
    await enqueue(db, *(CountStock() for _ in range(4)), PackOrder(order_id=uuid7()), *(CountStock() for _ in range(4)))
    async with db.write() as tx:
        suspect = outbox.routes.taker(PackOrder(order_id=uuid7()))
        await tx.execute(update(JobRow).where(JobRow.kind == suspect).values(crashes=1))
    async with worker(db, outbox).running():
        await eventually(lambda: all_done(db))
    assert seen == {CountStock: 4, PackOrder: 1}


async def test_a_job_whose_worker_died_is_taken_over(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    await enqueue(db, CountStock())
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=outbox.routes.kinds, limit=1)
        await store.lease_jobs(tx, due, lease=timedelta(milliseconds=300), worker="dead")
    async with worker(db, outbox).running():
        await eventually(lambda: all_done(db))
    assert (shop.taken, (await row(db)).crashes) == ([CountStock()], 1)
