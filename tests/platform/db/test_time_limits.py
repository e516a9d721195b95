"""A read takes a bounded time, and what fails to open a connection costs no later reader anything."""

import asyncio
import os
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import TextClause, text

from fairground.platform.db.database import Database
from fairground.platform.db.dialect import base, postgres_transactions
from fairground.platform.db.dialect.base import DatabaseTimeout, DatabaseUnavailable, Statement
from fairground.platform.db.dialect.prepared import Prepared
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import IS_FULL, Dose
from tools.guardian import Server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300 if IS_FULL else 120)]

POOL_SIZE: Final = 3
KindOf = Callable[[TextClause], Statement]
ENDLESS: Final = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
KINDS_OF_STATEMENT: Final = pytest.mark.parametrize("kind_of", [lambda each: each, Prepared], ids=["usual", "prepared"])


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox(), pool_size=POOL_SIZE)
    engine = database.backend.migration_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE note (name TEXT)")
    engine.dispose()
    yield database
    await database.close()


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "READ_SECONDS", 0.3)
    for name in ("BEGIN_READ", "READ_ONCE"):
        opening = getattr(postgres_transactions, name).replace("'10s'", "'300ms'")
        monkeypatch.setattr(postgres_transactions, name, opening)


async def read_one(db: Database) -> int:
    async with db.read() as tx:
        one: int = await tx.scalar(text("SELECT 1"))
        return one


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Let the process open no more files, as `ulimit -n` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    held = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)


@pytest.mark.usefixtures("short_limit")
@KINDS_OF_STATEMENT
async def test_endless_read_is_stopped_with_a_hint_and_leaves_its_connection_usable(
    db: Database, kind_of: KindOf
) -> None:
    endless = kind_of(ENDLESS)
    for _ in range(POOL_SIZE + 1):
        with pytest.raises(DatabaseTimeout) as refused:
            async with db.read() as tx:
                await tx.scalar(endless)
        assert "try again" in refused.value.hint
        assert await read_one(db) == 1


@pytest.mark.usefixtures("short_limit")
@KINDS_OF_STATEMENT
async def test_cancelled_read_leaves_no_limit_behind(db: Database, kind_of: KindOf) -> None:
    endless = kind_of(ENDLESS)

    async def read_endlessly() -> None:
        async with db.read() as tx:
            await tx.scalar(endless)

    for _ in range(POOL_SIZE):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read_endlessly(), timeout=0.1)
    assert [await read_one(db) for _ in range(2 * POOL_SIZE)] == [1] * 2 * POOL_SIZE


@pytest.mark.usefixtures("db")
async def test_reader_that_finds_no_free_connection_is_refused_in_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CONNECTION_WAIT_SECONDS", 0.2)
    database = Database(database_url, outbox=RecordingOutbox(), pool_size=1)
    most = database.backend.connections().most
    enough = asyncio.Event()

    async def hold() -> None:
        async with database.read() as tx:
            await tx.scalar(text("SELECT 1"))
            await enough.wait()

    held = [asyncio.create_task(hold()) for _ in range(most)]
    while database.backend.connections().in_use < most:
        await asyncio.sleep(0.01)
    began_at = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="overloaded"):
        await read_one(database)
    assert time.monotonic() - began_at < 5
    enough.set()
    await asyncio.gather(*held)
    assert await read_one(database) == 1
    await database.close()


class TestOneFile:
    """Only a file is opened by our own process."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'one.db'}"

    async def test_reads_recover_after_no_file_could_be_opened(
        self, db: Database, dose: Dose, figure: Callable[[str, float, str], None]
    ) -> None:
        seconds, failures = dose(small=1, full=60), 0
        with no_descriptors_left():
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                results = await asyncio.gather(*(read_one(db) for _ in range(2 * POOL_SIZE)), return_exceptions=True)
                failures += sum(isinstance(result, DatabaseUnavailable) for result in results)
                await asyncio.sleep(0.01)
        assert failures > 2 * POOL_SIZE
        async with asyncio.timeout(5):
            assert await asyncio.gather(*(read_one(db) for _ in range(2 * POOL_SIZE))) == [1] * 2 * POOL_SIZE
        assert db.backend.connections().in_use == 0
        figure("seconds without a free descriptor, after which reads recover", seconds, "s")

    async def test_writes_recover_after_no_file_could_be_opened(self, db: Database) -> None:
        with no_descriptors_left(), pytest.raises(DatabaseUnavailable):
            async with db.write():
                pass
        async with db.write() as tx:
            await tx.execute(text("INSERT INTO note (name) VALUES ('a')"))

    async def test_reads_recover_when_the_file_was_away_and_no_other_one_takes_its_place(self, db: Database) -> None:
        file = db.backend.file
        assert file is not None
        away = file.with_suffix(".away")
        async with db.read():  # what is open already stays in use
            file.rename(away)
            for _ in range(POOL_SIZE + 1):
                with pytest.raises(DatabaseUnavailable):
                    await read_one(db)
        assert not file.exists()
        away.rename(file)
        async with asyncio.timeout(5), db.read() as tx:
            assert await tx.scalars(text("SELECT name FROM note")) == []

    async def test_reader_whose_transaction_cannot_begin_is_replaced(
        self, db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A connection that was left inside a transaction refuses BEGIN for ever."""
        connect = db.backend._readers._connect  # type: ignore[attr-defined]

        def connect_inside_a_transaction() -> object:
            connection = connect()
            raw: sqlite3.Connection = connection.connection.dbapi_connection
            raw.execute("BEGIN")
            return connection

        with monkeypatch.context() as patch:
            patch.setattr(db.backend._readers, "_connect", connect_inside_a_transaction)  # type: ignore[attr-defined]
            for _ in range(POOL_SIZE + 1):
                with pytest.raises(DatabaseUnavailable):
                    await read_one(db)
        assert await read_one(db) == 1

    async def test_writers_hear_of_a_commit_that_fails_in_an_unforeseen_way(self, db: Database) -> None:
        async with db.write() as tx:
            await tx.execute(text("INSERT INTO note (name) VALUES ('kept')"))
        db.backend._threads.shutdown()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            with pytest.raises(DatabaseUnavailable):
                async with db.write() as tx:
                    await tx.execute(text("INSERT INTO note (name) VALUES ('lost')"))
        assert await read_names(db) == ["kept"]


async def read_names(db: Database) -> list[str]:
    async with db.read() as tx:
        return await tx.scalars(text("SELECT name FROM note"))


class TestServer:
    """What limits a transaction on a server."""

    @pytest.fixture
    def dialect(self) -> str:
        return "postgres"

    @pytest.mark.parametrize(
        ("kind", "limits"), [("read", ["3s", "10s", "30s", "on"]), ("write", ["3s", "5s", "10s", "off"])]
    )
    @KINDS_OF_STATEMENT
    async def test_transaction_has_limits_that_end_with_it(
        self, db: Database, kind: str, limits: list[str], kind_of: KindOf
    ) -> None:
        names = (
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "transaction_read_only",
        )
        async with getattr(db, kind)() as tx:
            found = [await tx.scalar(kind_of(text(f"SHOW {name}"))) for name in names]
        if kind == "read" and kind_of is Prepared:
            # Each statement is a transaction of its own, which is never idle.
            limits = [*limits[:2], "0", limits[3]]
        assert found == limits
        async with db.backend._engine.connect() as connection:  # type: ignore[attr-defined]
            kept = [(await connection.execute(text(f"SHOW {name}"))).scalar() for name in names]
        assert kept == ["0", "0", "0", "off"]

    @pytest.mark.parametrize(
        ("kind", "statement", "trips"),
        [
            ("read", text("SELECT 1"), 3),
            ("write", text("SELECT 1"), 3),
            ("read", Prepared(text("SELECT 1")), 1),
            ("write", Prepared(text("SELECT 1")), 2),
        ],
    )
    async def test_limits_cost_no_message_of_their_own(
        self,
        *,
        postgres_server: Server,
        tmp_path: Path,
        kind: str,
        statement: Statement,
        trips: int,
        figure: Callable[[str, float, str], None],
    ) -> None:
        """A prepared statement opens its transaction; a reading one ends it, too."""
        database = Database(postgres_server.url, outbox=RecordingOutbox(), pool_size=1)
        trace = tmp_path / "trace"
        with trace.open("wb") as file:
            async with database.read() as tx:
                driver = tx._executor._driver  # type: ignore[attr-defined]
            driver.pgconn.trace(file.fileno())
            async with getattr(database, kind)() as tx:
                await tx.scalar(statement)
            driver.pgconn.untrace()
        await database.close()
        assert trace.read_text().count("ReadyForQuery") == trips
        figure(f"round trips of a {kind} of one {type(statement).__name__} on PostgreSQL", trips, "round trips")

    async def test_commit_whose_connection_is_lost_says_that_its_outcome_is_unknown(self, db: Database) -> None:
        async def write_and_lose_the_connection() -> None:
            async with db.write() as tx:
                pid = await tx.scalar(text("SELECT pg_backend_pid()"))
                async with db.write() as other:
                    await other.scalar(text(f"SELECT pg_terminate_backend({pid})"))

        with pytest.raises(DatabaseUnavailable) as refused:
            await write_and_lose_the_connection()
        assert "Check the current state" in refused.value.hint
