"""After a database restart or a firewall's cut the first visitor gets an answer, not the error of a dead connection."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.platform.db.dialect import postgres

CALLERS = 8


@pytest.fixture
def dialect() -> str:
    """Take PostgreSQL: a file has no connections to lose."""
    return "postgres"


_KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def statuses_after_losses(url: str, folder: Path) -> set[int]:
    """Ask, cut every connection of the pool, and ask again; return the statuses of all answers."""
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


async def test_from_a_pool_that_does_not_ask_first_somebody_gets_the_error(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(url: Any, **how: Any) -> AsyncEngine:
        return create_async_engine(url, **how | {"pool_pre_ping": False})

    monkeypatch.setattr(postgres, "create_async_engine", make)
    assert 503 in await statuses_after_losses(migrated_url, tmp_path)
