"""The tables as the revisions make them, and the plans of the statements."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Priority, Queue
from fairground.platform.db import migrate
from fairground.platform.db.database import Database
from fairground.platform.db.dialect import open_backend
from fairground.platform.jobs import store
from fairground.platform.jobs.tables import JobRow, history
from tests.support.outbox import RecordingOutbox
from tests.support.statements import Statement, explain, statements_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB: dict[str, Any] = {
    "kind": "shop:shop.count_stock.v1",
    "payload": {},
    "state": "ready",
    "run_at": NOW,
    "attempt": 0,
    "max_attempts": 10,
    "crashes": 0,
    "fence": 0,
    "created_at": NOW,
}
READY_INDEX = "ix_jobs_job__ready"


def test_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        migrate.upgrade(connection, [history])
        assert migrate.find_drift(connection, [history]) == []
    engine.dispose()


async def test_every_index_is_partial(db: Database) -> None:
    async with db.write() as tx:
        query = (
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'jobs_job' AND sql LIKE '%INDEX%'"
            if tx.ops.name == "sqlite"
            else "SELECT indexdef FROM pg_indexes WHERE tablename = 'jobs_job' AND indexname NOT LIKE 'pk%'"
        )
        definitions = await tx.scalars(text(query))
    assert len(definitions) == 4
    assert all(" WHERE " in definition for definition in definitions)


async def test_unknown_priority_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.write() as tx:
            await tx.execute(insert(JobRow).values({**JOB, "id": uuid7(), "queue": "default", "priority": 11}))


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database of our own, with many jobs that wait for a later date, and its statistics."""
    db = Database(database_url, outbox=RecordingOutbox())
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        migrate.upgrade(connection, [history])
    engine.dispose()
    later = datetime.now(UTC) + timedelta(days=1)
    async with db.write() as tx:
        for queue in Queue:
            job = {**JOB, "queue": queue.value, "priority": int(Priority.NORMAL), "run_at": later}
            await tx.insert_many(JobRow, [{**job, "id": uuid7()} for _ in range(500)])
        await tx.execute(text("ANALYZE"))
    yield db
    await db.close()


async def _statement_of_a_claim(db: Database) -> Statement:
    with statements_of(db) as statements:
        async with db.write() as tx:
            assert (
                await store.lock_due_jobs(tx, kinds=["shop:shop.count_stock.v1"], slots=dict.fromkeys(Queue, 4)) == []
            )
    (statement,) = statements
    return statement


def _uses_a_range(db: Database, plan: str) -> bool:
    """Return whether each queue and priority is a range of the index; PostgreSQL plans one part for all of them."""
    if db.backend.ops.name == "sqlite":
        by_range = f"USING INDEX {READY_INDEX} (queue=? AND priority=? AND run_at<?)"
        covering = by_range.replace("INDEX", "COVERING INDEX")
        return plan.count(by_range) + plan.count(covering) == len(Queue) * len(Priority)
    conditions = next(line for line in plan.splitlines() if "Index Cond" in line)
    return READY_INDEX in plan and all(f"({name} " in conditions for name in ("queue", "priority", "run_at"))


async def test_claim_reads_one_range_of_the_index_for_each_queue_and_priority(own_db: Database) -> None:
    plan = explain(own_db, await _statement_of_a_claim(own_db))
    assert _uses_a_range(own_db, plan)
    assert not any(step in plan for step in ("SCAN jobs_job", "Seq Scan", "TEMP B-TREE", "Sort")), plan


async def test_control_without_the_index_a_claim_reads_every_job(own_db: Database) -> None:
    statement = await _statement_of_a_claim(own_db)
    async with own_db.write() as tx:
        await tx.execute(text(f"DROP INDEX {READY_INDEX}"))
    assert any(step in explain(own_db, statement) for step in ("SCAN jobs_job", "Seq Scan"))


async def test_depth_of_the_queues_is_counted_from_the_index(own_db: Database) -> None:
    with statements_of(own_db) as statements:
        async with own_db.read() as tx:
            assert await store.count_due(tx) == {}
    assert _uses_a_range(own_db, explain(own_db, statements[0]))
