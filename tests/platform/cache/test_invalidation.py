"""Tags that a transaction names are invalidated once it has committed, even if its process dies."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from fairground.kernel.messages import Queue
from fairground.platform.cache import invalidation as module
from fairground.platform.cache.invalidation import InvalidateTags, Invalidation, JobBacklog, LocalTags
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.runner import drain

TAGS = ["provider:a", "providers"]
KIND = f"cache:{InvalidateTags.topic}"


@dataclass
class Process:
    """One process of several on the same database."""

    db: Database
    outbox: JobOutbox
    tags: LocalTags
    invalidation: Invalidation

    def state(self) -> tuple[int, ...]:
        return self.tags.read(TAGS)

    async def work(self) -> int:
        return await drain(self.db, routes=self.outbox.routes)

    async def invalidate(self, *tags: str) -> None:
        async with self.db.write() as tx:
            tx.invalidate(*tags)


def start(url: str) -> Process:
    routes, tags = Routes(), LocalTags()
    outbox = JobOutbox(routes)
    invalidation = Invalidation(tags, level=None, stats=CacheStats())
    routes.add("cache", handlers={InvalidateTags: invalidation.on_invalidate_tags})
    db = Database(url, outbox=outbox, is_secondary=True)
    db.invalidation = invalidation
    return Process(db, outbox, tags, invalidation)


@pytest.fixture
async def process(migrated_url: str) -> AsyncIterator[Process]:
    started = start(migrated_url)
    yield started
    await started.db.close()


@pytest.fixture
async def other(migrated_url: str) -> AsyncIterator[Process]:
    started = start(migrated_url)
    yield started
    await started.db.close()


async def test_tags_are_invalidated_when_the_write_returns(process: Process) -> None:
    before = process.state()
    async with process.db.write() as tx:
        tx.invalidate("provider:a")
        assert process.state() == before
    assert process.state() != before


async def test_rolled_back_write_invalidates_nothing(process: Process) -> None:
    before = process.state()

    async def fail() -> None:
        async with process.db.write() as tx:
            tx.invalidate("provider:a")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await fail()
    assert process.state() == before
    assert await process.work() == 0


async def test_write_without_tags_enqueues_no_job(process: Process) -> None:
    await process.invalidate()
    assert await process.work() == 0


async def test_job_of_an_applied_invalidation_does_not_repeat_it(process: Process) -> None:
    await process.invalidate(*TAGS)
    after = process.state()
    assert await process.work() == 1
    assert process.state() == after


async def test_invalidation_reaches_the_process_that_runs_the_job(process: Process, other: Process) -> None:
    before = other.state()
    await process.invalidate("provider:a")
    assert other.state() == before
    await other.work()
    assert other.state() != before


async def test_process_that_dies_after_its_commit_leaves_the_invalidation_to_others(
    process: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_job: InvalidateTags) -> None:
        raise SystemExit

    monkeypatch.setattr(process.invalidation, "apply", die)
    before = other.state()
    with pytest.raises(SystemExit):
        await process.invalidate("provider:a")
    await other.work()
    assert other.state() != before


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


async def test_backlog_without_jobs_is_applied(database: Database) -> None:
    assert await JobBacklog(database, kind=KIND).is_applied()


async def test_unfinished_invalidation_is_not_applied(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG_WAIT_SECONDS", 0.2)
    await enqueue_invalidation(database)
    assert not await JobBacklog(database, kind=KIND).is_applied()
    assert await JobBacklog(database, kind="cache:another.kind").is_applied()


async def test_delayed_invalidation_is_done_now(database: Database, routes: Routes) -> None:
    await enqueue_invalidation(database, delay=timedelta(hours=1))
    applied = asyncio.create_task(JobBacklog(database, kind=KIND).is_applied())
    done = 0
    while not done:
        done = await drain(database, routes=routes)
        await asyncio.sleep(0.02)
    assert await applied


async def test_later_invalidation_does_not_delay_the_backlog(database: Database, routes: Routes) -> None:
    await enqueue_invalidation(database)
    applied = asyncio.create_task(JobBacklog(database, kind=KIND).is_applied())
    while not applied.done():
        await drain(database, routes=routes)
        await enqueue_invalidation(database, delay=timedelta(hours=1))
        await asyncio.sleep(0.05)
    assert await applied


async def test_prioritised_invalidation_is_done_before_a_long_queue(database: Database, routes: Routes) -> None:
    for _ in range(5):
        await enqueue_invalidation(database)
    async with database.read() as tx:
        before = await store.find_unfinished(tx, kind=KIND)
    await enqueue_invalidation(database)
    async with database.write() as tx:
        (last,) = await store.find_unfinished(tx, kind=KIND) - before
        await store.prioritise(tx, job_ids=[last])
    async with database.write() as tx:
        [first] = await store.lock_due_jobs(tx, kinds=routes.kinds, slots={Queue.DEFAULT: 1})
    assert first.id == last
