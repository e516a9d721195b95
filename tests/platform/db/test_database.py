"""Transactions commit whole or not at all, and readers cannot write, on both dialects."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import MetaData, Text, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.kernel.messages import Event
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseInUse, DatabaseUnavailable, DatabaseURLError
from fairground.platform.db.types import TYPE_ANNOTATION_MAP
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    metadata = MetaData()
    type_annotation_map = TYPE_ANNOTATION_MAP


class NoteRow(Base):
    __tablename__ = "test_note"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(server_default="0")
    at: Mapped[datetime | None]


class NoteWritten(Event):
    topic: ClassVar = "test.note_written.v1"


@pytest.fixture
def outbox() -> RecordingOutbox:
    return RecordingOutbox()


@pytest.fixture
async def db(database_url: str, outbox: RecordingOutbox) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=outbox)
    engine = database.backend.migration_engine()
    Base.metadata.create_all(engine)
    engine.dispose()
    yield database
    await database.close()


async def names(db: Database) -> list[str]:
    async with db.read() as tx:
        return await tx.scalars(select(NoteRow.name).order_by(NoteRow.name))


async def write_note(db: Database, name: str, *, fails: bool = False) -> None:
    async with db.write() as tx:
        await tx.insert_ignore(NoteRow, [{"name": name}])
        if fails:
            raise RuntimeError(name)


async def test_a_block_that_raises_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(RuntimeError):
        await write_note(db, "a", fails=True)
    await write_note(db, "b")
    assert await names(db) == ["b"]


async def test_of_concurrent_transactions_each_one_that_fails_undoes_only_itself(db: Database) -> None:
    results = await asyncio.gather(
        *(write_note(db, f"{number:03}", fails=number % 7 == 0) for number in range(100)), return_exceptions=True
    )
    assert sum(isinstance(result, RuntimeError) for result in results) == 15
    assert await names(db) == [f"{number:03}" for number in range(100) if number % 7]


async def test_a_constraint_that_refuses_one_transaction_does_not_hurt_its_neighbours(db: Database) -> None:
    async def insert_plainly(name: str) -> None:
        async with db.write() as tx:
            await tx.execute(NoteRow.__table__.insert().values(name=name))  # type: ignore[attr-defined]

    results = await asyncio.gather(*(insert_plainly(str(number // 2)) for number in range(10)), return_exceptions=True)
    assert sum(isinstance(result, IntegrityError) for result in results) == 5
    assert await names(db) == ["0", "1", "2", "3", "4"]


async def test_increments_of_concurrent_transactions_are_all_kept(db: Database) -> None:
    await write_note(db, "n")

    async def increment() -> None:
        async with db.write() as tx:
            await tx.execute(update(NoteRow).values(count=NoteRow.count + 1))

    await asyncio.gather(*(increment() for _ in range(50)))
    async with db.read() as tx:
        assert await tx.scalar(select(NoteRow.count)) == 50


async def test_the_database_itself_refuses_a_write_in_a_reading_transaction(db: Database) -> None:
    with pytest.raises((DatabaseUnavailable, DBAPIError)) as refused:
        async with db.read() as tx:
            await tx.all(NoteRow.__table__.insert().values(name="x"))  # type: ignore[attr-defined]
    assert re.search("(?i)read.?only", getattr(refused.value, "reason", str(refused.value)))
    assert await names(db) == []


async def test_a_reader_sees_one_moment(db: Database) -> None:
    async with db.read() as tx:
        before = await tx.scalar(select(func.count()).select_from(NoteRow))
        assert before == 0


async def test_insert_ignore_counts_what_it_inserted_and_upsert_overwrites(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.insert_ignore(NoteRow, [{"name": "a", "count": 1}, {"name": "b", "count": 1}]) == 2
        assert await tx.insert_ignore(NoteRow, [{"name": "a", "count": 9}, {"name": "c", "count": 1}]) == 1
        await tx.upsert(NoteRow, [{"name": "a", "count": 5}], key=["name"], update=["count"])
        assert await tx.scalars(select(NoteRow.count).order_by(NoteRow.name)) == [5, 1, 1]


async def test_many_rows_are_inserted_as_a_few_are(db: Database) -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    rows = [{"name": f"ø{number}", "count": number, "at": at if number % 2 else None} for number in range(700)]
    async with db.write() as tx:
        assert await tx.insert_many(NoteRow, []) == 0
        assert await tx.insert_many(NoteRow, rows[:500]) == 500
        assert await tx.insert_many(NoteRow, rows) == 200
        stored = await tx.all(select(NoteRow.name, NoteRow.count, NoteRow.at).order_by(NoteRow.count))
    assert [row._asdict() for row in stored] == rows


@pytest.mark.parametrize("other", [{"name": "b"}, {"name": "b", "count": 1, "at": None}])
async def test_many_rows_of_unlike_columns_are_refused(db: Database, other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"the columns \['count', 'name'\]; one has"):
        async with db.write() as tx:
            await tx.insert_many(NoteRow, [{"name": "a", "count": 1}, other])
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(NoteRow)) == 0


async def test_an_instant_comes_back_as_it_went_in_to_the_microsecond_and_in_utc(db: Database) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123_457, tzinfo=timezone(timedelta(hours=2)))
    async with db.write() as tx:
        await tx.insert_ignore(NoteRow, [{"name": "a", "count": 0, "at": moment}])
        stored = await tx.scalar(select(NoteRow.at))
    assert stored == moment
    assert stored.tzinfo is UTC


async def test_day_added_to_an_instant_is_24_hours_when_clocks_of_the_server_change(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGTZ", "Europe/Oslo")  # by this, libpq sets the time zone of a session
    noon = datetime(2027, 3, 27, 12, tzinfo=UTC)
    async with db.write() as tx:
        await tx.insert_ignore(NoteRow, [{"name": "a", "count": 0, "at": noon}])
        later = await tx.scalar(select(tx.ops.later(NoteRow.__table__.c.at, by=timedelta(days=1))))
    assert later == noon + timedelta(days=1)


async def test_an_instant_without_a_zone_is_refused(db: Database) -> None:
    with pytest.raises((ValueError, StatementError), match="no time zone"):
        async with db.write() as tx:
            await tx.insert_ignore(NoteRow, [{"name": "a", "count": 0, "at": datetime(2026, 1, 1)}])  # noqa: DTZ001


async def test_the_databases_clock_is_about_ours_and_can_be_shifted(db: Database) -> None:
    async with db.read() as tx:
        assert abs(await tx.current_time() - datetime.now(UTC)) < timedelta(seconds=5)
    db.clock_shift = timedelta(days=3)
    async with db.write() as tx:
        assert abs(await tx.current_time() - datetime.now(UTC) - timedelta(days=3)) < timedelta(seconds=5)
        at = await tx.current_time()
        await tx.insert_ignore(NoteRow, [{"name": "due", "count": 0, "at": at}])
        due = select(NoteRow.name).where(NoteRow.at <= tx.now(timedelta(minutes=1)))
        late = select(NoteRow.name).where(NoteRow.at <= tx.now(-timedelta(minutes=1)))
        assert await tx.scalars(due) == ["due"]
        assert await tx.scalars(late) == []


async def test_waiters_are_woken_only_when_a_message_was_written(db: Database, outbox: RecordingOutbox) -> None:
    await write_note(db, "quiet")
    assert outbox.wakes == 0
    async with db.write() as tx:
        await tx.emit(NoteWritten())
    assert outbox.wakes == 1
    assert outbox.events == [NoteWritten()]


async def test_a_cancelled_reader_leaves_its_connection_usable(db: Database) -> None:
    slow = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000) SELECT max(i) FROM n"
    )

    async def read_slowly() -> None:
        async with db.read() as tx:
            await tx.scalar(slow)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read_slowly(), timeout=0.2)
    assert await names(db) == []


@pytest.mark.parametrize("url", ["mysql://localhost/x", "not a url", "sqlite://", "sqlite:///:memory:"])
def test_a_url_we_cannot_use_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(DatabaseURLError, match="sqlite://"):
        Database(url, outbox=RecordingOutbox())


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    database = Database("postgresql://user@127.0.0.1:1/none", outbox=RecordingOutbox())
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    await database.close()


class TestOneFile:
    """Rules of a database file: one server process, and secondary processes beside it."""

    async def test_second_server_is_refused_with_a_hint(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'one.db'}"
        first, second = Database(url, outbox=RecordingOutbox()), Database(url, outbox=RecordingOutbox())
        first.backend.acquire_server_lock()
        with pytest.raises(DatabaseInUse, match="FAIRGROUND_DATA_DIR"):
            second.backend.acquire_server_lock()
        await first.close()
        second.backend.acquire_server_lock()
        await second.close()

    @pytest.mark.parametrize(("is_draft", "synchronous"), [(False, 2), (True, 0)])
    async def test_every_commit_waits_for_the_disk_but_in_a_draft(
        self, tmp_path: Path, *, is_draft: bool, synchronous: int
    ) -> None:
        database = Database(f"sqlite:///{tmp_path / 'one.db'}", outbox=RecordingOutbox())
        if is_draft:
            database.backend.commit_without_disk()
        async with database.write() as tx:
            assert await tx.scalar(text("PRAGMA synchronous")) == synchronous
        await database.close()

    async def test_writer_waits_for_a_secondary_process_without_blocking_the_loop(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path / 'one.db'}", outbox=RecordingOutbox())
        engine = database.backend.migration_engine()
        Base.metadata.create_all(engine)
        secondary = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
        secondary.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(write_note(database, "a"))
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not writing.done()
        secondary.execute("COMMIT")
        secondary.close()
        engine.dispose()
        await writing
        assert await names(database) == ["a"]
        await database.close()


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_other_task_progresses_during_transactions_that_raise(db: Database, kind: str) -> None:
    rounds = 0

    async def count_rounds() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    counting = asyncio.create_task(count_rounds())
    for _ in range(200):
        with pytest.raises(ZeroDivisionError):
            async with db.read() if kind == "read" else db.write():
                raise ZeroDivisionError
    counting.cancel()
    assert rounds > 100
