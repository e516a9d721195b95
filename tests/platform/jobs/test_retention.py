from datetime import timedelta

import pytest

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.jobs import retention
from fairground.platform.jobs.execution import drain
from fairground.platform.jobs.retention import DeleteFinished, delete_finished
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.states import Retry
from fairground.platform.jobs.wiring import build
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, enqueue, rows


async def test_finished_jobs_go_when_their_time_is_over(db: Database, routes: Routes, shop: Shop) -> None:
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


async def test_much_is_deleted_in_short_transactions(
    db: Database, routes: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    await enqueue(db, *(CountStock() for _ in range(5)))
    await drain(db, routes=routes)
    db.clock_shift = timedelta(days=8)
    assert await delete_finished(db) == 5


async def test_the_table_keeps_itself_small_by_a_job_of_its_own(db: Database, routes: Routes) -> None:
    module = build(db)
    routes.add(module.name, handlers=module.handlers)
    assert [schedule.job for schedule in module.schedules] == [DeleteFinished()]
    await enqueue(db, DeleteFinished())
    assert await drain(db, routes=routes) == 1
