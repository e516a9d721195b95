"""After a database restart or a cut by a firewall the first request succeeds in spite of dead connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.db.dialect.postgres_transactions import Transaction
from tests.support.outbox import RecordingOutbox

CALLERS = 8


# A file has no connections to lose.
pytestmark = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)

_KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def statuses_after_losses(url: str, folder: Path) -> set[int]:
    """Send requests, cut every connection of the pool, and send them again; return the statuses of all responses."""
    statuses: set[int] = set()
    killed = 0
    program = compose(Settings(database_url=url, data_dir=folder))
    async with program.running():
        transport = httpx.ASGITransport(program.build_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000/api/v1") as client:
            for number in range(3):
                # So many at once that the pool is full of connections to be lost.
                pages = [f"/artists?page={number * CALLERS + page}" for page in range(1, CALLERS + 1)]
                answers = await asyncio.gather(*(client.get(page) for page in pages))
                statuses |= {answer.status_code for answer in answers}
                with psycopg.connect(make_conninfo(url), autocommit=True) as connection:
                    killed += len(connection.execute(_KILL).fetchall())
    assert killed
    return statuses


async def test_the_first_request_after_all_connections_were_lost_is_answered(migrated_url: str, tmp_path: Path) -> None:
    assert await statuses_after_losses(migrated_url, tmp_path) == {200}


async def test_control_without_a_second_try_requests_fail(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send_once(_transaction: Transaction, send: Callable[[], Awaitable[Any]]) -> Any:
        return await send()

    monkeypatch.setattr(Transaction, "_first", send_once)
    assert 503 in await statuses_after_losses(migrated_url, tmp_path)


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    database = Database(migrated_url, outbox=RecordingOutbox())
    yield database
    await database.close()


def lose_all_connections(url: str) -> None:
    with psycopg.connect(make_conninfo(url), autocommit=True) as connection:
        assert connection.execute(_KILL).fetchall()


async def test_write_begins_again_on_another_connection(db: Database, migrated_url: str) -> None:
    async with db.write() as tx:
        await tx.execute(text("CREATE TABLE kept (number int)"))
    lose_all_connections(migrated_url)
    async with db.write() as tx:
        await tx.execute(text("INSERT INTO kept VALUES (1)"))
    lose_all_connections(migrated_url)
    async with db.read() as tx:
        assert await tx.scalars(text("SELECT number FROM kept")) == [1]


async def test_read_that_begins_again_is_still_read_only(db: Database, migrated_url: str) -> None:
    async with db.read() as tx:
        await tx.current_time()
    lose_all_connections(migrated_url)
    async with db.read() as tx:
        await tx.current_time()
        assert await tx.scalar(text("SHOW transaction_read_only")) == "on"
    async with db.write() as tx:
        assert await tx.scalar(text("SHOW transaction_read_only")) == "off"


async def test_a_read_of_prepared_statements_goes_on_after_a_cut_between_them(db: Database, migrated_url: str) -> None:
    async with db.read() as tx:
        before = await tx.current_time()
        lose_all_connections(migrated_url)
        assert await tx.current_time() > before


async def test_transaction_cut_after_its_first_statement_is_not_repeated(db: Database, migrated_url: str) -> None:
    async def read() -> None:
        async with db.read() as tx:
            await tx.scalar(text("SELECT 1"))
            lose_all_connections(migrated_url)
            await tx.current_time()

    async def write() -> None:
        async with db.write() as tx:
            await tx.execute(text("CREATE TABLE half (number int)"))
            lose_all_connections(migrated_url)
            await tx.current_time()

    for cut in (read, write):
        with pytest.raises(DatabaseUnavailable):
            await cut()
    async with db.write() as tx:
        assert await tx.scalar(text("SELECT to_regclass('half')")) is None
