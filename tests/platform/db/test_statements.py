"""Slow statements are logged, without their values."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import literal, select, text
from sqlalchemy.exc import DBAPIError

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import Connections, DatabaseUnavailable
from fairground.platform.db.statements import redact
from tests.support.outbox import RecordingOutbox

SECRET = "ada@example.org"


@pytest.fixture
async def slow(database_url: str) -> AsyncIterator[Database]:
    """Give a database to which every statement is slow."""
    database = Database(database_url, outbox=RecordingOutbox(), slow_seconds=0)
    yield database
    await database.close()


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_a_slow_statement_is_logged_with_its_text_and_the_kinds_of_its_parameters(
    slow: Database, logs: list[Any]
) -> None:
    async with slow.read() as tx:
        assert await tx.scalar(select(literal(SECRET))) == SECRET
    entry = next(entry for entry in logs if entry["event"] == "database.slow_statement")
    assert entry["log_level"] == "warning"
    assert entry["sql"].startswith("SELECT")
    assert f"str({len(SECRET)})" in str(entry["parameters"])
    assert SECRET not in str(logs)


async def test_failed_write_is_timed_and_logged_without_values(slow: Database, logs: list[Any]) -> None:
    with pytest.raises((DatabaseUnavailable, DBAPIError)):
        async with slow.write() as tx:
            await tx.execute(text("SELECT no_such_function(:email)").bindparams(email=SECRET))
    assert any("no_such_function" in entry.get("sql", "") for entry in logs)
    assert SECRET not in str(logs)


async def test_quick_statement_is_counted_and_not_logged(db: Database, logs: list[Any]) -> None:
    before = sum(db.statements.durations.counts)
    async with db.read() as tx:
        await tx.current_time()
    assert sum(db.statements.durations.counts) > before
    assert sum(db.waits["read"].counts) > 0
    assert [entry for entry in logs if entry["event"] == "database.slow_statement"] == []


async def test_connections_at_work_are_counted(db: Database) -> None:
    idle = db.backend.connections()
    async with db.read() as tx:
        await tx.current_time()
        assert db.backend.connections() == Connections(in_use=idle.in_use + 1, most=idle.most)
    assert db.backend.connections() == idle


def test_parameters_keep_their_place_and_lose_their_value() -> None:
    assert redact({"email": SECRET, "n": 7, "none": None}) == {"email": "str(15)", "n": "int", "none": "NoneType"}
    assert redact((SECRET, b"xy", ["a"])) == ["str(15)", "bytes(2)", "list(1)"]
    assert redact([(SECRET, 1), ("b", 2)]) == "2 rows of ['str(15)', 'int']"
    assert redact([{"email": SECRET}]) == "1 rows of {'email': 'str(15)'}"
    assert redact(()) == []
    assert redact([]) == "list(0)"
