"""The dispatcher: batches that are claimed beyond the free slots, ends that are stored together, and projections."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final
from uuid import UUID

import pytest
from sqlalchemy import update

from fairground.kernel.messages import Event, Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import held_jobs
from fairground.platform.jobs.dispatcher import KEPT_SECONDS, Dispatcher
from fairground.platform.jobs.leases import Heartbeat
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.queues import Claimed, claim_jobs
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.stats import JobStats
from fairground.platform.jobs.tables import JobRow
from fairground.platform.module import Projection
from tests.platform.jobs.shop import LEASE, CountStock, Shop, enqueue, eventually, lose, row, rows
from tests.platform.jobs.workers import all_done, handle_all_by, make_worker
from tests.support.statements import statements_of

MANY: Final = 40


class ShelfChanged(Event):
    topic: ClassVar = "shop.shelf_changed.v1"
    shelf: int
    version: int = 0


class ShelfMoved(Event):
    topic: ClassVar = "shop.shelf_moved.v1"
    shelf: int


async def claim(db: Database, routes: Routes, *, slots: int, free: int) -> Claimed:
    """Claim as a worker does that claims beyond its free slots."""
    queues = {Queue.DEFAULT: slots}, {Queue.DEFAULT: free}
    async with db.write() as tx:
        return await claim_jobs(
            tx, routes=routes, slots=queues[0], free=queues[1], busy_queues=(), lease=LEASE, worker="test"
        )


def make_dispatcher(
    db: Database, routes: Routes, *, concurrency: int = 2, outbox: JobOutbox | None = None, poll_seconds: float = 60
) -> Dispatcher:
    return Dispatcher(
        db,
        outbox=outbox or JobOutbox(routes),
        heartbeat=Heartbeat(db, lease=LEASE),
        stats=JobStats(),
        settings=JobSettings(concurrency=concurrency, poll_seconds=poll_seconds),
        worker="test",
    )


async def claim_ahead(db: Database, dispatcher: Dispatcher) -> list[RunningJob]:
    """Run jobs that take no time until some are claimed beyond the slots, and return those that run then."""
    running = [*await dispatcher.advance()]
    while not [each for each in await rows(db) if each.state == "running" and each.started_at is None]:
        for job in running:
            dispatcher.note_end(job, seconds=0, is_stored=False)
        running = [*await dispatcher.advance()]
        assert running
    return running


class TestClaimsBeyondTheSlots:
    async def test_only_started_jobs_of_a_dead_worker_count_a_crash(self, db: Database, routes: Routes) -> None:
        await enqueue(db, *[CountStock() for _ in range(5)])
        claimed = await claim(db, routes, slots=5, free=2)
        await lose(db)
        counted = {each.id: (each.state, each.attempt, each.crashes, each.error is None) for each in await rows(db)}
        for job in claimed.jobs:
            is_started = job in claimed.starting
            assert counted[job.id] == (("ready", 1, 1, False) if is_started else ("ready", 0, 0, True))
        assert len(claimed.starting) == 2

    async def test_a_job_on_its_last_attempt_that_was_not_started_does_not_die(
        self, db: Database, routes: Routes
    ) -> None:
        await enqueue(db, CountStock())
        async with db.write() as tx:
            await tx.execute(update(JobRow).values(attempt=CountStock.max_attempts))
        await claim(db, routes, slots=1, free=0)
        await lose(db)
        assert ((await row(db)).state, (await row(db)).attempt) == ("ready", CountStock.max_attempts)

    async def test_a_job_that_is_claimed_again_has_not_started(self, db: Database, routes: Routes) -> None:
        await enqueue(db, CountStock())
        await claim(db, routes, slots=1, free=1)
        await lose(db)
        await claim(db, routes, slots=1, free=0)
        await lose(db)
        assert ((await row(db)).attempt, (await row(db)).crashes) == (1, 1)

    async def test_short_jobs_are_claimed_in_growing_batches(self, db: Database, routes: Routes) -> None:
        await enqueue(db, *[CountStock() for _ in range(MANY)])
        dispatcher = make_dispatcher(db, routes)
        with statements_of(db) as sent:
            while running := await dispatcher.advance():
                assert len(running) <= 2
                for job in running:
                    dispatcher.note_end(job, seconds=0, is_stored=False)
        # One by one, there would be one for each pair of slots.
        assert sum("lease_until=" in sql and "fence=(" in sql for sql, _ in sent) < MANY // 2 - 4
        assert await all_done(db)
        assert {each.attempt for each in await rows(db)} == {1}

    async def test_waiting_jobs_go_back_when_the_worker_stops(self, db: Database, routes: Routes) -> None:
        await enqueue(db, *[CountStock() for _ in range(MANY)])
        dispatcher = make_dispatcher(db, routes)
        running = await claim_ahead(db, dispatcher)
        for job in running:
            dispatcher.note_end(job, seconds=0, is_stored=False)
        await dispatcher.stop()
        assert {(each.state, each.attempt) for each in await rows(db)} == {("done", 1), ("ready", 0)}

    async def test_a_waiting_job_that_another_worker_has_taken_is_not_started(
        self, db: Database, routes: Routes
    ) -> None:
        await enqueue(db, *[CountStock() for _ in range(MANY)])
        dispatcher = make_dispatcher(db, routes)
        running = await claim_ahead(db, dispatcher)
        async with db.write() as tx:
            waiting = JobRow.started_at.is_(None) & (JobRow.state == "running")
            taken = await tx.execute(update(JobRow).where(waiting).values(fence=JobRow.fence + 1, worker="other"))
        assert taken
        for job in running:
            dispatcher.note_end(job, seconds=0, is_stored=False)
        started = await dispatcher.advance()
        ours = {each.id for each in await rows(db) if each.worker == "test"}
        assert {job.id for job in started} <= ours

    async def test_jobs_that_wait_behind_a_long_one_go_to_another_worker(self, db: Database, outbox: JobOutbox) -> None:
        is_blocked, release, runs = asyncio.Event(), asyncio.Event(), 0

        async def work(_job: CountStock) -> None:
            nonlocal runs
            runs += 1
            if runs == MANY // 2:
                is_blocked.set()
                await release.wait()

        async def all_but_one_done() -> bool:
            return [each.state for each in await rows(db)].count("done") == MANY - 1

        handle_all_by(outbox, work)
        await enqueue(db, *[CountStock() for _ in range(MANY)])
        first, second = (make_worker(db, outbox, concurrency=1, lease_seconds=30) for _ in range(2))
        async with first.running():
            await is_blocked.wait()
            async with second.running():
                await eventually(all_but_one_done, seconds=KEPT_SECONDS + 20)
                release.set()
                await eventually(lambda: all_done(db))
        assert {each.crashes for each in await rows(db)} == {0}
        assert {each.attempt for each in await rows(db)} == {1}


class TestLooks:
    """When the dispatcher looks for due jobs in queues that it has found empty."""

    async def test_ends_are_stored_without_a_look_into_empty_queues(self, db: Database, routes: Routes) -> None:
        await enqueue(db, CountStock())
        dispatcher = make_dispatcher(db, routes)
        [job] = await dispatcher.advance()
        dispatcher.note_end(job, seconds=0, is_stored=False)
        with statements_of(db) as sent:
            assert not await dispatcher.advance()
        assert not [sql for sql, _ in sent if sql.startswith("SELECT")]
        assert await all_done(db)

    async def test_a_message_of_this_process_is_found_at_once(self, db: Database, outbox: JobOutbox) -> None:
        ours = make_dispatcher(db, outbox.routes, outbox=outbox)
        of_another_process = make_dispatcher(db, outbox.routes)
        for dispatcher in (ours, of_another_process):
            assert not await dispatcher.advance()
        await enqueue(db, CountStock())
        assert not await of_another_process.advance()
        assert await ours.advance()

    async def test_a_message_of_another_process_is_found_by_a_poll(self, db: Database, routes: Routes) -> None:
        dispatcher = make_dispatcher(db, routes, poll_seconds=0.05)
        assert not await dispatcher.advance()
        await enqueue(db, CountStock())
        started: Sequence[RunningJob] = []
        while not started:
            await asyncio.sleep(dispatcher.seconds_to_poll())
            started = await dispatcher.advance()
        assert len(started) == 1

    async def test_a_job_that_was_given_back_is_found_at_once(self, db: Database, routes: Routes) -> None:
        await enqueue(db, CountStock())
        dispatcher = make_dispatcher(db, routes)
        [job] = await dispatcher.advance()
        async with db.write() as tx:
            await held_jobs.release_jobs(tx, [job])
        dispatcher.note_end(job, seconds=0, is_stored=True)
        assert await dispatcher.advance()

    async def test_jobs_behind_a_suspect_are_found_when_it_has_ended(self, db: Database, routes: Routes) -> None:
        await enqueue(db, CountStock(), CountStock())
        [first, _] = await make_dispatcher(db, routes).advance()
        await lose(db)
        dispatcher = make_dispatcher(db, routes)
        started = []
        while running := await dispatcher.advance():
            assert len(running) == 1
            started.append(running[0].id)
            dispatcher.note_end(running[0], seconds=0, is_stored=False)
        assert started[0] == first.id
        assert len(started) == 2


class TestEnds:
    async def test_jobs_that_wrote_nothing_are_ended_by_one_statement(self, db: Database, routes: Routes) -> None:
        await enqueue(db, *[CountStock() for _ in range(10)])
        dispatcher = make_dispatcher(db, routes, concurrency=10)
        for job in await dispatcher.advance():
            dispatcher.note_end(job, seconds=0, is_stored=False)
        with statements_of(db) as sent:
            await dispatcher.advance()
        assert len([sql for sql, _ in sent if sql.startswith("UPDATE")]) == 1
        assert await all_done(db)

    async def test_an_end_is_stored_after_an_outage(
        self, db: Database, routes: Routes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await enqueue(db, CountStock())
        dispatcher = make_dispatcher(db, routes)
        [job] = await dispatcher.advance()
        dispatcher.note_end(job, seconds=0, is_stored=False)
        with monkeypatch.context() as broken:
            broken.setattr(held_jobs, "end_and_start", _fail)
            with pytest.raises(ConnectionError):
                await dispatcher.advance()
        await dispatcher.advance()
        assert await all_done(db)

    async def test_a_job_that_its_own_transaction_has_ended_takes_no_other(
        self, db: Database, outbox: JobOutbox
    ) -> None:
        async def end(_job: CountStock) -> None:
            async with db.write(ends_job=True) as tx:
                await tx.execute(update(JobRow).values(error="changed by its handler"))

        handle_all_by(outbox, end)
        await enqueue(db, CountStock())
        with statements_of(db) as sent:
            async with make_worker(db, outbox).running():
                await eventually(lambda: all_done(db))
        ends = [sql for sql, _ in sent if sql.startswith("UPDATE") and "finished_at" in sql]
        assert len(ends) == 1

    async def test_a_handler_that_wrote_and_did_not_end_its_job_has_it_ended(
        self, db: Database, outbox: JobOutbox
    ) -> None:
        async def write(_job: CountStock) -> None:
            async with db.write() as tx:
                await tx.execute(update(JobRow).values(error="changed by its handler"))

        handle_all_by(outbox, write)
        await enqueue(db, CountStock())
        async with make_worker(db, outbox).running():
            await eventually(lambda: all_done(db))
        assert (await row(db)).attempt == 1

    async def test_a_job_whose_ending_transaction_was_undone_is_retried(self, db: Database, outbox: JobOutbox) -> None:
        async def undo(_job: CountStock) -> None:
            async with db.write(ends_job=True):
                raise ZeroDivisionError

        async def is_retried() -> bool:
            return ((await row(db)).state, (await row(db)).attempt) == ("ready", 1)

        handle_all_by(outbox, undo)
        await enqueue(db, CountStock())
        async with make_worker(db, outbox).running():
            await eventually(is_retried)


async def _fail(*_arguments: object, **_options: object) -> set[UUID]:
    raise ConnectionError


class TestProjections:
    @pytest.fixture
    def routes(self, shop: Shop) -> Routes:
        routes = Routes()
        projection = Projection(key=lambda event: event.shelf)
        routes.add(
            "shop",
            handlers={ShelfChanged: shop.take, ShelfMoved: shop.take},
            projections={ShelfChanged: projection, ShelfMoved: projection},
        )
        versioned = Projection(key=lambda event: event.shelf, version=lambda event: event.version)
        routes.add("ledger", handlers={ShelfChanged: _ignore}, projections={ShelfChanged: versioned})
        routes.add("mail", handlers={ShelfChanged: _ignore})
        return routes

    async def test_the_newest_of_a_key_does_the_work_of_all(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfChanged(shelf=1), ShelfMoved(shelf=2), ShelfChanged(shelf=1), ShelfMoved(shelf=1))
        claimed = await claim(db, routes, slots=20, free=20)
        taken = [routes.of(job.kind).parse(job.payload) for job in claimed.jobs if job.kind.startswith("shop:")]
        assert taken == [ShelfMoved(shelf=2), ShelfMoved(shelf=1)]
        ended = [each for each in await rows(db) if each.state == "done" and each.kind.startswith("shop:")]
        assert [(each.error, each.payload) for each in ended] == [("A newer job has done its work.", None)] * 2

    async def test_the_highest_version_is_the_newest(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfChanged(shelf=1, version=5), ShelfChanged(shelf=1, version=7))
        await emit(db, ShelfChanged(shelf=1, version=6))
        claimed = await claim(db, routes, slots=20, free=20)
        taken = [routes.of(job.kind).parse(job.payload) for job in claimed.jobs if job.kind.startswith("ledger:")]
        assert taken == [ShelfChanged(shelf=1, version=7)]

    async def test_a_consumer_with_effects_of_its_own_gets_every_message(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfChanged(shelf=1), ShelfChanged(shelf=1))
        claimed = await claim(db, routes, slots=20, free=20)
        assert [job.kind for job in claimed.jobs].count(f"mail:{ShelfChanged.topic}") == 2

    async def test_a_message_of_a_transaction_that_has_not_committed_is_not_replaced(
        self, db: Database, routes: Routes, dialect: str
    ) -> None:
        if dialect == "sqlite":
            pytest.skip("NOT RUN: SQLite has one writer, so nothing is claimed while a transaction is open")
        await emit(db, ShelfMoved(shelf=1))
        async with db.write() as tx:
            await tx.emit(ShelfMoved(shelf=1))
            first = await claim(db, routes, slots=20, free=20)
        second = await claim(db, routes, slots=20, free=20)
        assert (len(first.jobs), len(second.jobs)) == (1, 1)
        assert not first.superseded
        assert not second.superseded

    async def test_a_job_that_crashed_its_worker_is_not_replaced(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfMoved(shelf=1))
        await claim(db, routes, slots=1, free=1)
        await lose(db)
        await emit(db, ShelfMoved(shelf=1))
        claimed = await claim(db, routes, slots=20, free=20)
        assert not claimed.superseded

    async def test_a_job_is_replaced_only_if_the_newer_one_is_claimed(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfMoved(shelf=1))
        await claim(db, routes, slots=1, free=1)
        await lose(db)  # it crashed its worker, so no job starts behind it
        await emit(db, ShelfMoved(shelf=2), ShelfMoved(shelf=2))
        claimed = await claim(db, routes, slots=20, free=20)
        assert [job.crashes for job in claimed.jobs] == [1]
        assert {each.state for each in await rows(db)} == {"running", "ready"}

    async def test_a_message_that_cannot_be_read_fails_when_it_runs(self, db: Database, routes: Routes) -> None:
        await emit(db, ShelfMoved(shelf=1), ShelfMoved(shelf=1))
        async with db.write() as tx:
            await tx.execute(update(JobRow).values(payload={"shelf": "no number"}))
        claimed = await claim(db, routes, slots=20, free=20)
        assert len(claimed.jobs) == 2

    async def test_a_replaced_job_counts_as_superseded(self, db: Database, routes: Routes) -> None:
        outbox = JobOutbox(routes)
        await emit(db, ShelfMoved(shelf=1), ShelfMoved(shelf=1))
        worker = make_worker(db, outbox)
        async with worker.running():
            await eventually(lambda: all_done(db))
        kind = f"shop:{ShelfMoved.topic}"
        assert (worker.stats.ended[kind, "superseded"], worker.stats.ended[kind, "done"]) == (1, 1)


async def _ignore(_event: ShelfChanged) -> None:
    pass


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    return JobOutbox(routes)


async def emit(db: Database, *events: Event) -> None:
    async with db.write() as tx:
        for event in events:
            await tx.emit(event)
