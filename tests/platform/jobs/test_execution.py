from datetime import timedelta

import pytest

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs.execution import BACKOFF_MAX, backoff, claim_jobs, describe, drain
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.queue import measure_queue
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.states import Discard, EndedAlready, Retry
from tests.platform.jobs.shop import LEASE, CountStock, OrderPaid, PackOrder, Shop, claim, enqueue, lose, row, rows


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


@pytest.mark.parametrize("is_awaited", [True, False])
async def test_what_somebody_waits_for_goes_before_a_long_queue(
    db: Database, routes: Routes, shop: Shop, monkeypatch: pytest.MonkeyPatch, *, is_awaited: bool
) -> None:
    monkeypatch.setattr(CountStock, "is_awaited", is_awaited)
    await enqueue(db, *(PackOrder(order_id=uuid7()) for _ in range(3)))
    db.clock_shift = timedelta(seconds=30)
    await enqueue(db, CountStock())
    await enqueue(db, CountStock(), delay=timedelta(hours=1))
    # Nobody reports a queue that is older than it is.
    assert 30 <= (await measure_queue(db)).oldest_due_seconds < 60
    assert await drain(db, routes=routes) == 4
    place = 0 if is_awaited else 3
    assert isinstance(shop.taken[place], CountStock)


async def test_drain_raises_what_a_handler_raised_after_settling_its_job(
    db: Database, routes: Routes, shop: Shop
) -> None:
    shop.raises = [ZeroDivisionError("no stock\nrow: secret")]
    await enqueue(db, CountStock())
    with pytest.raises(ZeroDivisionError):
        await drain(db, routes=routes)
    failed = await row(db)
    assert (failed.state, failed.attempt, failed.crashes) == ("ready", 1, 0)
    assert failed.error == "ZeroDivisionError: no stock"
    assert timedelta(seconds=0.9) < failed.run_at - failed.started_at < timedelta(seconds=3)


async def test_a_handler_that_asks_for_a_retry_gets_it_when_it_asked_for(
    db: Database, routes: Routes, shop: Shop
) -> None:
    shop.raises = [Retry("the processor does not know it yet", after=timedelta(minutes=5))]
    await enqueue(db, CountStock())
    assert await drain(db, routes=routes) == 1
    assert await drain(db, routes=routes) == 0
    db.clock_shift = timedelta(minutes=5, seconds=1)
    assert await drain(db, routes=routes) == 1
    assert (await row(db)).state == "done"


async def test_a_discarded_job_is_done_and_says_why(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Discard("the order is gone")]
    await enqueue(db, CountStock())
    await drain(db, routes=routes)
    discarded = await row(db)
    assert (discarded.state, discarded.error) == ("done", "the order is gone")


async def test_a_job_without_attempts_left_is_dead(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("not yet", after=timedelta(0)) for _ in range(3)]
    await enqueue(db, PackOrder(order_id=uuid7()))
    assert await drain(db, routes=routes) == 3
    dead = await row(db)
    assert (dead.state, dead.attempt, dead.error) == ("dead", 3, "not yet")
    assert dead.payload is not None
    assert dead.finished_at is not None


async def test_a_job_that_takes_its_worker_down_each_time_ends_dead(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    for _ in range(3):
        await claim(db, routes)
        await lose(db)
    dead = await row(db)
    assert (dead.state, dead.attempt, dead.crashes) == ("dead", 3, 3)


async def test_a_job_that_was_ended_by_its_handler_is_not_ended_twice(db: Database, outbox: JobOutbox) -> None:
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


async def test_a_handler_that_writes_after_the_end_of_its_job_is_told_so(db: Database, outbox: JobOutbox) -> None:
    async def end_then_write(_job: CountStock) -> None:
        async with db.write(ends_job=True):
            pass
        async with db.write() as tx:
            await tx.enqueue(CountStock())

    routes = outbox.routes = Routes()
    routes.add("shop", handlers={CountStock: end_then_write})
    await enqueue(db, CountStock())
    with pytest.raises(EndedAlready, match="must be its last"):
        await drain(db, routes=routes)
    assert (await row(db)).state == "done"


async def test_a_kind_that_this_code_does_not_know_waits_for_code_that_does(
    db: Database, routes: Routes, outbox: JobOutbox
) -> None:
    await enqueue(db, CountStock())
    older = outbox.routes = Routes()
    older.add("shop", handlers={PackOrder: Shop().take})
    assert await claim_jobs(db, kinds=older.kinds, limit=1, is_idle=True, lease=LEASE, worker="test") == []
    assert (await row(db)).state == "ready"
    assert await drain(db, routes=routes) == 1


async def test_a_job_that_crashed_comes_alone_and_in_its_turn(db: Database, routes: Routes) -> None:
    await enqueue(db, CountStock(), PackOrder(order_id=uuid7()))
    suspect = await claim(db, routes)
    await lose(db)
    await enqueue(db, CountStock())

    async def claimed(*, is_idle: bool) -> list[str]:
        jobs = await claim_jobs(db, kinds=routes.kinds, limit=5, is_idle=is_idle, lease=LEASE, worker="test")
        return [str(job.id) for job in jobs]

    assert await claimed(is_idle=False) == []
    assert await claimed(is_idle=True) == [str(suspect.id)]
    assert len(await claimed(is_idle=False)) == 2


async def test_due_jobs_come_in_the_order_of_their_dates(db: Database, routes: Routes, shop: Shop) -> None:
    first, second, third = (PackOrder(order_id=uuid7()) for _ in range(3))
    await enqueue(db, third, delay=timedelta(seconds=20))
    await enqueue(db, second, delay=timedelta(seconds=10))
    await enqueue(db, first)
    db.clock_shift = timedelta(minutes=1)
    await drain(db, routes=routes)
    assert shop.taken == [first, second, third]


def test_the_pause_doubles_up_to_an_hour() -> None:
    assert [backoff(attempt, share=1).total_seconds() for attempt in (1, 2, 3, 11)] == [2, 4, 8, 2048]
    assert backoff(12, share=1) == backoff(1000, share=1) == BACKOFF_MAX
    assert backoff(2, share=0.5) == timedelta(seconds=2)


def test_a_dead_letter_shows_one_line_of_an_error() -> None:
    assert describe(KeyError()) == "KeyError: "
    assert describe(ValueError("first\nDETAIL: Key (email)=(a@b.example)")) == "ValueError: first"
