import asyncio
import time
from datetime import timedelta

from sqlalchemy import update

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs.dead_letters import count_jobs
from fairground.platform.jobs.lifecycle import JobState
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.tables import JobRow
from fairground.platform.module import Schedule
from tests.platform.jobs.outage import outage
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, enqueue, eventually, row, rows
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
