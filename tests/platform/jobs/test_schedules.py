import asyncio
from datetime import UTC, datetime, timedelta

from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.runner import drain
from fairground.platform.jobs.schedules import Scheduler, next_tick
from fairground.platform.module import Schedule
from tests.platform.jobs.shop import CountStock, Shop, rows

HOUR = timedelta(hours=1)


def scheduler(db: Database, routes: Routes, *, every: timedelta = HOUR, runs_at_start: bool = False) -> Scheduler:
    return Scheduler(db, routes=routes, schedules=[Schedule(CountStock(), every=every, runs_at_start=runs_at_start)])


async def test_schedule_first_runs_after_one_period(db: Database, routes: Routes, shop: Shop) -> None:
    hourly = scheduler(db, routes)
    await hourly.enqueue_due()
    assert await rows(db) == []
    for hours in (1, 2, 3):
        db.clock_shift = HOUR * hours + timedelta(seconds=1)
        await hourly.enqueue_due()
        await hourly.enqueue_due()
        assert await drain(db, routes=routes) == 1
    assert len(shop.taken) == 3


async def test_schedule_with_runs_at_start_runs_at_every_start(db: Database, routes: Routes) -> None:
    for _ in range(2):
        await scheduler(db, routes, runs_at_start=True).enqueue_due()
        assert await drain(db, routes=routes) == 1


async def test_restart_does_not_delay_a_schedule(db: Database, routes: Routes) -> None:
    await scheduler(db, routes).enqueue_due()
    db.clock_shift = HOUR - timedelta(seconds=1)
    await scheduler(db, routes).enqueue_due()
    db.clock_shift = HOUR + timedelta(seconds=1)
    await scheduler(db, routes).enqueue_due()
    assert len(await rows(db)) == 1


async def test_missed_runs_become_one(db: Database, routes: Routes) -> None:
    hourly = scheduler(db, routes)
    await hourly.enqueue_due()
    db.clock_shift = HOUR * 50 + timedelta(minutes=1)
    await hourly.enqueue_due()
    await hourly.enqueue_due()
    assert await drain(db, routes=routes) == 1


async def test_run_longer_than_the_period_is_not_joined_by_another(db: Database, routes: Routes) -> None:
    hourly = scheduler(db, routes)
    for hours in range(4):
        db.clock_shift = HOUR * hours + timedelta(seconds=1)
        await hourly.enqueue_due()
    assert len(await rows(db)) == 1


async def test_several_workers_enqueue_one_job_per_tick(db: Database, routes: Routes, migrated_url: str) -> None:
    databases = [Database(migrated_url, outbox=JobOutbox(routes)) for _ in range(3)]
    schedulers = [scheduler(each, routes) for each in databases]
    for each in schedulers:
        await each.enqueue_due()
    for other in databases:
        other.clock_shift = HOUR + timedelta(seconds=1)
    await asyncio.gather(*(each.enqueue_due() for each in schedulers))
    db.clock_shift = HOUR + timedelta(seconds=1)
    assert await drain(db, routes=routes) == 1
    for each in schedulers:
        await each.enqueue_due()
    assert await drain(db, routes=routes) == 0
    for other in databases:
        await other.close()


async def test_shorter_period_takes_effect_at_the_next_start(db: Database, routes: Routes) -> None:
    await scheduler(db, routes, every=timedelta(days=30)).enqueue_due()
    hourly = scheduler(db, routes)
    await hourly.enqueue_due()
    db.clock_shift = HOUR + timedelta(seconds=1)
    await hourly.enqueue_due()
    assert len(await rows(db)) == 1


async def test_schedule_stored_by_a_clock_ahead_runs_within_one_period(
    db: Database, routes: Routes, shop: Shop
) -> None:
    """Without a restart, which would bring it forward as well."""
    hourly = scheduler(db, routes)
    db.clock_shift = timedelta(hours=5)
    await hourly.enqueue_due()
    db.clock_shift = timedelta(0)
    await hourly.enqueue_due()
    db.clock_shift = HOUR + timedelta(seconds=1)
    await hourly.enqueue_due()

    assert await drain(db, routes=routes) == 1
    assert len(shop.taken) == 1


def test_late_run_keeps_the_rhythm() -> None:
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert next_tick(noon, now=noon, every=HOUR) == noon + HOUR
    assert next_tick(noon, now=noon + HOUR * 3.5, every=HOUR) == noon + HOUR * 4
