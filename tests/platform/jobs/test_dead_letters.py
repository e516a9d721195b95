from datetime import timedelta

import pytest

from fairground.kernel.ids import uuid7
from fairground.platform.db.common.audit import list_actions
from fairground.platform.db.database import Database
from fairground.platform.jobs import board, dead_letters
from fairground.platform.jobs.dead_letters import (
    DeadLetterNotFound,
    DeleteFinished,
    count_jobs,
    delete_finished,
    list_dead_letters,
    requeue,
    requeue_kind,
)
from fairground.platform.jobs.lifecycle import JobState, Retry
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.runner import drain
from fairground.platform.shared_tables import build_jobs
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, claim, enqueue, lose, row, rows


async def kill(db: Database, routes: Routes, shop: Shop, job: PackOrder) -> None:
    """Let the job fail until it is dead."""
    shop.raises = [Retry("no paper", after=timedelta(0)) for _ in range(job.max_attempts)]
    await enqueue(db, job)
    await drain(db, routes=routes)


async def test_dead_letters_are_listed_latest_first_with_their_payload(
    db: Database, routes: Routes, shop: Shop
) -> None:
    jobs = [PackOrder(order_id=uuid7()) for _ in range(3)]
    for job in jobs:
        await kill(db, routes, shop, job)
    await enqueue(db, CountStock())
    first = await list_dead_letters(db, limit=2)
    rest = await list_dead_letters(db, limit=2, before=first[-1])
    assert [PackOrder.model_validate(letter.payload) for letter in first + rest] == jobs[::-1]
    assert {(letter.kind, letter.error, letter.attempt) for letter in first} == {
        ("shop:shop.pack_order.v1", "no paper", 3)
    }
    assert await count_jobs(db) == {JobState.READY: 1, JobState.RUNNING: 0, JobState.DONE: 0, JobState.DEAD: 3}


async def test_requeued_job_starts_over(db: Database, routes: Routes, shop: Shop) -> None:
    job = PackOrder(order_id=uuid7())
    await kill(db, routes, shop, job)
    (letter,) = await list_dead_letters(db, limit=10)
    await requeue(db, job_id=letter.id)
    assert ((await row(db)).attempt, (await row(db)).finished_at) == (0, None)
    assert await drain(db, routes=routes) == 1
    assert shop.taken[-1] == job
    assert ((await row(db)).id, (await row(db)).state) == (letter.id, "done")


async def test_all_dead_jobs_of_a_kind_start_over_and_the_audit_trail_says_who_asked(
    db: Database, routes: Routes, shop: Shop
) -> None:
    for _ in range(2):
        await kill(db, routes, shop, PackOrder(order_id=uuid7()))
    staff_id, kind = uuid7(), "shop:shop.pack_order.v1"
    assert await requeue_kind(db, kind="shop:other", actor=staff_id) == 0
    assert await requeue_kind(db, kind=kind, actor=staff_id) == 2
    assert await list_dead_letters(db, limit=10) == []
    async with db.read() as tx:
        [entry] = (await list_actions(tx, action="jobs.requeue_kind", limit=10)).data
    assert (entry.actor_id, entry.details) == (staff_id, {"kind": kind, "jobs": 2})


async def test_queues_say_what_is_due_and_what_is_dead(db: Database, routes: Routes, shop: Shop) -> None:
    await kill(db, routes, shop, PackOrder(order_id=uuid7()))
    await enqueue(db, CountStock())
    async with db.read() as tx:
        queues = await board.read_queues(tx)
        by_kind = await board.count_dead_by_kind(tx)
        running = await board.list_running(tx)
    assert sum(queue.due for queue in queues) == 1
    assert sum(queue.dead for queue in queues) == 1
    assert (by_kind, running) == ({"shop:shop.pack_order.v1": 1}, [])


async def test_requeued_job_that_crashed_workers_still_runs_alone(db: Database, routes: Routes) -> None:
    await enqueue(db, PackOrder(order_id=uuid7()))
    for _ in range(3):
        await claim(db, routes)
        await lose(db)
    (letter,) = await list_dead_letters(db, limit=10)
    await requeue(db, job_id=letter.id)
    assert (await claim(db, routes)).runs_alone


async def test_requeued_job_runs_beside_a_newer_one_of_the_same_key(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("no paper", after=timedelta(0)) for _ in range(3)]
    for _ in range(2):
        async with db.write() as tx:
            await tx.enqueue(PackOrder(order_id=uuid7()), dedup_key="today")
        if shop.raises:
            await drain(db, routes=routes)
    (letter,) = await list_dead_letters(db, limit=10)
    await requeue(db, job_id=letter.id)
    assert await drain(db, routes=routes) == 2


async def test_only_dead_jobs_are_requeued(db: Database) -> None:
    await enqueue(db, CountStock())
    with pytest.raises(DeadLetterNotFound, match=str((await row(db)).id)):
        await requeue(db, job_id=(await row(db)).id)


async def test_finished_jobs_are_deleted_after_their_retention(db: Database, routes: Routes, shop: Shop) -> None:
    shop.raises = [Retry("no paper", after=timedelta(0)) for _ in range(3)]
    await enqueue(db, PackOrder(order_id=uuid7()))
    await drain(db, routes=routes)
    await enqueue(db, CountStock())
    await drain(db, routes=routes)
    await enqueue(db, CountStock(), delay=timedelta(days=1))
    db.clock_shift = timedelta(days=6, hours=23)
    assert await delete_finished(db) == 0
    db.clock_shift = timedelta(days=7, hours=1)
    assert await delete_finished(db) == 1
    assert sorted(each.state for each in await rows(db)) == ["dead", "ready"]
    db.clock_shift = timedelta(days=90, hours=1)
    assert await delete_finished(db) == 1
    assert [each.state for each in await rows(db)] == ["ready"]


async def test_many_jobs_are_deleted_in_short_transactions(
    db: Database, routes: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "ROWS_AT_ONCE", 2)
    await enqueue(db, *(CountStock() for _ in range(5)))
    await drain(db, routes=routes)
    db.clock_shift = timedelta(days=8)
    assert await delete_finished(db) == 5


async def test_retention_is_a_scheduled_job_of_the_table(db: Database, routes: Routes) -> None:
    module = build_jobs(db)
    routes.add(module.name, handlers=module.handlers)
    assert [schedule.job for schedule in module.schedules] == [DeleteFinished()]
    await enqueue(db, DeleteFinished())
    assert await drain(db, routes=routes) == 1
