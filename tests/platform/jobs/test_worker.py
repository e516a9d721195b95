import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs.dead_letters import count_jobs
from fairground.platform.jobs.lifecycle import AlreadyFinished, CancelJob, JobState, Retry
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.runner import describe, drain
from fairground.platform.jobs.tables import JobRow
from fairground.platform.module import Schedule
from tests.platform.jobs.outage import outage
from tests.platform.jobs.shop import (
    CountStock,
    OrderPaid,
    PackOrder,
    Shop,
    claim,
    claim_all,
    enqueue,
    eventually,
    lose,
    row,
    rows,
)
from tests.platform.jobs.workers import all_done, handle_all_by, make_worker


async def test_message_of_this_process_wakes_its_worker(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    async with make_worker(db, outbox, poll_seconds=60).running():
        await asyncio.sleep(0.3)
        await enqueue(db, CountStock())
        await eventually(lambda: all_done(db), seconds=5)
    assert shop.taken == [CountStock()]


async def test_message_of_another_process_is_found_by_polling(
    db: Database, outbox: JobOutbox, migrated_url: str
) -> None:
    other = Database(migrated_url, outbox=JobOutbox(outbox.routes), is_secondary=True)
    async with make_worker(db, outbox).running():
        await asyncio.sleep(0.3)
        await enqueue(other, CountStock())
        await eventually(lambda: all_done(db), seconds=5)
    await other.close()


async def test_worker_enqueues_scheduled_jobs(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    often = Schedule(CountStock(), every=timedelta(milliseconds=200), runs_at_start=True)

    async def has_run_twice() -> bool:
        return len(shop.taken) >= 2

    async with make_worker(db, outbox, schedules=[often]).running():
        await eventually(has_run_twice)


async def test_concurrency_limits_the_jobs_that_run_at_once(db: Database, outbox: JobOutbox) -> None:
    running, most = 0, 0

    async def work(_job: CountStock) -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.05)
        running -= 1

    handle_all_by(outbox, work)
    await enqueue(db, *(CountStock() for _ in range(12)))
    async with make_worker(db, outbox, concurrency=3).running():
        await eventually(lambda: all_done(db))
    assert most == 3


async def test_one_failure_does_not_stop_other_jobs(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    shop.raises = [ZeroDivisionError()]
    await enqueue(db, *(CountStock() for _ in range(5)))

    async def four_are_done() -> bool:
        return (await count_jobs(db))[JobState.DONE] == 4

    async with make_worker(db, outbox).running():
        await eventually(four_are_done)


async def test_stopping_worker_lets_running_jobs_end(db: Database, outbox: JobOutbox) -> None:
    started = asyncio.Event()

    async def work(_job: CountStock) -> None:
        started.set()
        await asyncio.sleep(0.5)

    handle_all_by(outbox, work)
    await enqueue(db, CountStock())
    async with make_worker(db, outbox, concurrency=1).running():
        await started.wait()
        await enqueue(db, CountStock())
    assert [each.state for each in await rows(db)] == ["done", "ready"]


async def test_stopping_worker_releases_unfinished_jobs(db: Database, outbox: JobOutbox) -> None:
    started = asyncio.Event()

    async def work(_job: CountStock) -> None:
        started.set()
        await asyncio.sleep(600)

    handle_all_by(outbox, work)
    await enqueue(db, CountStock())
    async with make_worker(db, outbox, stop_seconds=0.2).running():
        await started.wait()
    released = await row(db)
    assert (released.state, released.attempt, released.crashes) == ("ready", 0, 0)
    assert (released.lease_until, released.worker) == (None, None)


async def test_worker_stops_during_a_database_outage(db: Database, outbox: JobOutbox, migrated_url: str) -> None:
    async with make_worker(db, outbox).running():
        await asyncio.sleep(0.2)
        with outage(migrated_url):
            await asyncio.sleep(0.5)
            stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < 8


async def test_crashed_job_runs_without_neighbours(db: Database, outbox: JobOutbox) -> None:
    running: set[int] = set()
    seen: dict[type, int] = {}

    async def work(job: CountStock | PackOrder) -> None:
        running.add(id(job))
        await asyncio.sleep(0.1)
        seen[type(job)] = max(seen.get(type(job), 0), len(running))
        await asyncio.sleep(0.1)
        running.discard(id(job))

    handle_all_by(outbox, work)
    await enqueue(db, *(CountStock() for _ in range(4)), PackOrder(order_id=uuid7()), *(CountStock() for _ in range(4)))
    async with db.write() as tx:
        suspect = outbox.routes.handler_of(PackOrder(order_id=uuid7())).kind
        await tx.execute(update(JobRow).where(JobRow.kind == suspect).values(crashes=1))
    async with make_worker(db, outbox).running():
        await eventually(lambda: all_done(db))
    assert seen == {CountStock: 4, PackOrder: 1}


async def test_drain_runs_what_is_due_and_what_that_enqueues(db: Database, outbox: JobOutbox, shop: Shop) -> None:
    async def pay(job: PackOrder) -> None:
        async with db.write(ends_job=True) as tx:
            await tx.emit(OrderPaid(order_id=job.order_id))

    routes = Routes()
    routes.add("shop", handlers={PackOrder: pay})
    routes.add("mail", handlers={OrderPaid: shop.take})
    outbox.routes = routes
    order_id = uuid7()
    await enqueue(db, PackOrder(order_id=order_id))
    await enqueue(db, PackOrder(order_id=uuid7()), delay=timedelta(hours=1))
    assert await drain(db, routes=routes) == 2
    assert shop.taken == [OrderPaid(order_id=order_id)]
    assert sorted(each.state for each in await rows(db)) == ["done", "done", "ready"]


async def test_drain_settles_a_failed_job_and_raises_its_error(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [ZeroDivisionError("no stock\nrow: secret")]
    await enqueue(db, CountStock())
    with pytest.raises(ZeroDivisionError):
        await drain(db, routes=routes)
    failed = await row(db)
    assert (failed.state, failed.attempt, failed.crashes) == ("ready", 1, 0)
    assert failed.error == "ZeroDivisionError: no stock"
    assert timedelta(seconds=0.9) < failed.run_at - failed.started_at < timedelta(seconds=3)


async def test_retry_runs_after_the_delay_that_the_handler_gave(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("the processor does not know it yet", after=timedelta(minutes=5))]
    await enqueue(db, CountStock())
    assert await drain(db, routes=routes) == 1
    assert await drain(db, routes=routes) == 0
    db.clock_shift = timedelta(minutes=5, seconds=1)
    assert await drain(db, routes=routes) == 1
    assert (await row(db)).state == "done"


async def test_cancelled_job_is_done_and_keeps_the_reason(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [CancelJob("the order is gone")]
    await enqueue(db, CountStock())
    await drain(db, routes=routes)
    discarded = await row(db)
    assert (discarded.state, discarded.error) == ("done", "the order is gone")


async def test_job_without_attempts_left_is_dead(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("not yet", after=timedelta(0)) for _ in range(3)]
    await enqueue(db, PackOrder(order_id=uuid7()))
    assert await drain(db, routes=routes) == 3
    dead = await row(db)
    assert (dead.state, dead.attempt, dead.error) == ("dead", 3, "not yet")
    assert dead.payload is not None
    assert dead.finished_at is not None


async def test_job_that_crashes_its_worker_each_time_ends_dead(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    for _ in range(3):
        await claim(db, routes)
        await lose(db)
    dead = await row(db)
    assert (dead.state, dead.attempt, dead.crashes) == ("dead", 3, 3)


async def test_job_ended_by_its_handler_is_not_ended_twice(db: Database, outbox: JobOutbox) -> None:
    async def end_then_fail(_job: CountStock) -> None:
        async with db.write(ends_job=True):
            pass
        raise ZeroDivisionError

    routes = outbox.routes = Routes()
    routes.add("shop", handlers={CountStock: end_then_fail})
    await enqueue(db, CountStock())
    with pytest.raises(ZeroDivisionError):
        await drain(db, routes=routes)
    assert (await row(db)).state == "done"


async def test_handler_that_writes_after_the_end_of_its_job_is_refused(db: Database, outbox: JobOutbox) -> None:
    async def end_then_write(_job: CountStock) -> None:
        async with db.write(ends_job=True):
            pass
        async with db.write() as tx:
            await tx.enqueue(CountStock())

    routes = outbox.routes = Routes()
    routes.add("shop", handlers={CountStock: end_then_write})
    await enqueue(db, CountStock())
    with pytest.raises(AlreadyFinished, match="must be its last"):
        await drain(db, routes=routes)
    assert (await row(db)).state == "done"


async def test_unknown_kind_waits_for_code_that_knows_it(db: Database, routes: Routes, outbox: JobOutbox) -> None:
    await enqueue(db, CountStock())
    older = outbox.routes = Routes()
    older.add("shop", handlers={PackOrder: Shop().take})
    assert await claim_all(db, older, slots={Queue.DEFAULT: 1}) == []
    assert (await row(db)).state == "ready"
    assert await drain(db, routes=routes) == 1


async def test_crashed_job_runs_alone_and_in_its_turn(db: Database, routes: Routes) -> None:
    await enqueue(db, CountStock(), PackOrder(order_id=uuid7()))
    suspect = await claim(db, routes)
    await lose(db)
    await enqueue(db, CountStock())

    slots = {Queue.DEFAULT: 5}
    assert await claim_all(db, routes, slots=slots, busy_queues={Queue.DEFAULT}) == []
    assert [job.id for job in await claim_all(db, routes, slots=slots)] == [suspect.id]
    assert len(await claim_all(db, routes, slots=slots, busy_queues={Queue.DEFAULT})) == 2


async def test_due_jobs_run_in_the_order_of_their_due_times(db: Database, routes: Routes, shop: Shop) -> None:
    first, second, third = (PackOrder(order_id=uuid7()) for _ in range(3))
    await enqueue(db, third, delay=timedelta(seconds=20))
    await enqueue(db, second, delay=timedelta(seconds=10))
    await enqueue(db, first)
    db.clock_shift = timedelta(minutes=1)
    await drain(db, routes=routes)
    assert shop.taken == [first, second, third]


def test_dead_letter_shows_one_line_of_an_error() -> None:
    assert describe(KeyError()) == "KeyError: "
    assert describe(ValueError("first\nDETAIL: Key (email)=(a@b.example)")) == "ValueError: first"
