import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from fairground.kernel.messages import Queue
from fairground.platform.cache import backlog
from fairground.platform.cache.backlog import JobBacklog
from fairground.platform.cache.invalidation import InvalidateTags
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.queues import claim_jobs
from fairground.platform.jobs.worker import drain

KIND = f"cache:{InvalidateTags.topic}"


@pytest.fixture
def routes() -> Routes:
    routes = Routes()

    async def on_invalidate_tags(_job: InvalidateTags) -> None: ...

    routes.add("cache", handlers={InvalidateTags: on_invalidate_tags})
    return routes


@pytest.fixture
async def database(migrated_url: str, routes: Routes) -> AsyncIterator[Database]:
    opened = Database(migrated_url, outbox=JobOutbox(routes))
    yield opened
    await opened.close()


async def enqueue_invalidation(db: Database, *, delay: timedelta = timedelta(0)) -> None:
    async with db.write() as tx:
        await tx.enqueue(InvalidateTags(invalidation_id=uuid4(), tags=["a"]), delay=delay)


async def test_backlog_without_jobs_is_settled(database: Database) -> None:
    assert await JobBacklog(database, kind=KIND).is_settled()


async def test_unfinished_invalidation_is_not_settled(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PATIENCE_SECONDS", 0.2)
    await enqueue_invalidation(database)
    assert not await JobBacklog(database, kind=KIND).is_settled()
    assert await JobBacklog(database, kind="cache:another.kind").is_settled()


async def test_delayed_invalidation_is_done_now(database: Database, routes: Routes) -> None:
    await enqueue_invalidation(database, delay=timedelta(hours=1))
    settled = asyncio.create_task(JobBacklog(database, kind=KIND).is_settled())
    done = 0
    while not done:
        done = await drain(database, routes=routes)
        await asyncio.sleep(0.02)
    assert await settled


async def test_later_invalidation_does_not_delay_the_backlog(database: Database, routes: Routes) -> None:
    await enqueue_invalidation(database)
    settled = asyncio.create_task(JobBacklog(database, kind=KIND).is_settled())
    while not settled.done():
        await drain(database, routes=routes)
        await enqueue_invalidation(database, delay=timedelta(hours=1))
        await asyncio.sleep(0.05)
    assert await settled


async def test_prioritised_invalidation_is_done_before_a_long_queue(database: Database, routes: Routes) -> None:
    for _ in range(5):
        await enqueue_invalidation(database)
    async with database.read() as tx:
        before = await store.find_unfinished(tx, kind=KIND)
    await enqueue_invalidation(database)
    async with database.write() as tx:
        (last,) = await store.find_unfinished(tx, kind=KIND) - before
        await store.prioritise(tx, job_ids=[last])
    first = await claim_jobs(
        database,
        kinds=routes.kinds,
        slots={Queue.DEFAULT: 1},
        busy_queues=(),
        lease=timedelta(seconds=30),
        worker="test",
    )
    assert [job.id for job in first] == [last]
