"""What a transaction touches is voided when it has committed, whatever becomes of the process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from fairground.platform.cache.invalidation import InvalidateTags, Invalidation
from fairground.platform.cache.stats import CacheStats
from fairground.platform.cache.tags import LocalTags
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.worker import drain

TAGS = ["provider:a", "providers"]


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


async def test_tags_are_renewed_when_the_write_returns(process: Process) -> None:
    before = process.state()
    async with process.db.write() as tx:
        tx.invalidate("provider:a")
        assert process.state() == before
    assert process.state() != before


async def test_a_write_that_rolls_back_renews_nothing(process: Process) -> None:
    before = process.state()

    async def fail() -> None:
        async with process.db.write() as tx:
            tx.invalidate("provider:a")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await fail()
    assert process.state() == before
    assert await process.work() == 0


async def test_a_write_that_touches_nothing_writes_no_job(process: Process) -> None:
    await process.invalidate()
    assert await process.work() == 0


async def test_the_job_of_a_renewal_that_was_made_makes_it_no_second_time(process: Process) -> None:
    await process.invalidate(*TAGS)
    after = process.state()
    assert await process.work() == 1
    assert process.state() == after


async def test_a_renewal_reaches_the_process_that_does_the_job(process: Process, other: Process) -> None:
    before = other.state()
    await process.invalidate("provider:a")
    assert other.state() == before
    await other.work()
    assert other.state() != before


async def test_a_process_that_dies_after_its_commit_leaves_the_renewal_to_others(
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
