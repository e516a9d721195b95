import asyncio
from datetime import timedelta

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs.metrics import QueueDepth, QueueDepths, measure_queues
from tests.platform.jobs.shop import CountStock, MailReceipt, PrintLabel, enqueue

NOTHING = QueueDepth(due=0, oldest_due_seconds=0.0)


async def test_queues_without_jobs_are_empty(db: Database) -> None:
    assert await measure_queues(db) == QueueDepths(queues=dict.fromkeys(Queue, NOTHING), dead=0)


async def test_queues_are_measured_by_the_clock_of_the_database(db: Database) -> None:
    await enqueue(db, CountStock(), CountStock(), MailReceipt())
    await asyncio.sleep(0.05)
    depths = await measure_queues(db)
    assert (depths.due, depths.dead) == (3, 0)
    assert {queue: depth.due for queue, depth in depths.queues.items() if depth.due} == {"default": 2, "mail": 1}
    assert 0.02 < depths.oldest_due_seconds < 60


async def test_depth_counts_every_priority_and_no_delayed_job(db: Database) -> None:
    await enqueue(db, CountStock())
    db.clock_shift = timedelta(seconds=30)
    await enqueue(db, PrintLabel(), MailReceipt())
    await enqueue(db, CountStock(), delay=timedelta(hours=1))
    queues = (await measure_queues(db)).queues
    assert (queues[Queue.DEFAULT].due, queues[Queue.MAIL].due) == (2, 1)
    assert 30 <= queues[Queue.DEFAULT].oldest_due_seconds < 60
    assert queues[Queue.MAIL].oldest_due_seconds < 30
