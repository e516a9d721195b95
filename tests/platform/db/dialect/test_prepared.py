"""Prepared statements: they mean what SQLAlchemy's execution would, in both directions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Text, Uuid, bindparam, literal, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import Executable

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable, SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TYPE_ANNOTATION_MAP, TimeShift, among, constant
from tests.support.outbox import RecordingOutbox
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


class Base(DeclarativeBase):
    type_annotation_map = TYPE_ANNOTATION_MAP


class VisitRow(Base):
    __tablename__ = "prepared_visit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any] | None]
    name: Mapped[str | None] = mapped_column(Text)
    count: Mapped[int] = mapped_column(server_default="0")


class DefaultRow(Base):
    __tablename__ = "prepared_default"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(default=7)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox())
    engine = database.backend.migration_engine()
    Base.metadata.create_all(engine)
    engine.dispose()
    yield database
    await database.close()


_IS_VISIT = VisitRow.id == bindparam("visit", type_=Uuid())


def by_id(_ops: SQLOps) -> Prepared:
    return Prepared(select(VisitRow).where(VisitRow.id == bindparam("visit", type_=Uuid())))


async def insert(db: Database, **changes: Any) -> dict[str, Any]:
    row = {"id": uuid4(), "at": AT, "facts": {"a": [1, "é"]}, "name": "x", **changes}
    async with db.write() as tx:
        assert await tx.insert_ignore(VisitRow, [row]) == 1
    return row


async def test_values_of_every_type_come_back_as_they_were(db: Database) -> None:
    row = await insert(db)
    empty = await insert(db, facts=None, name=None)
    async with db.read() as tx:
        statement = by_id(tx.ops)
        [found] = await tx.all(statement, {"visit": row["id"]})
        [nothing] = await tx.all(statement, {"visit": empty["id"]})
    assert found._asdict() == {**row, "count": 0}
    assert nothing._asdict() == {**empty, "count": 0}


async def test_rows_equal_those_of_a_statement_that_is_not_prepared(db: Database) -> None:
    row = await insert(db)
    statement = select(VisitRow.name, VisitRow.at.label("seen_at"), literal(3).label("three")).limit(5)
    async with db.read() as tx:
        [prepared], [usual] = await tx.all(Prepared(statement)), await tx.all(statement)
    assert tuple(prepared) == tuple(usual)
    assert prepared.seen_at == row["at"]


async def test_a_constant_is_part_of_the_text(db: Database) -> None:
    row = await insert(db, name="it's")
    statement = Prepared(select(VisitRow.id).where(VisitRow.name == constant("it's"), VisitRow.count == constant(0)))
    with statements_of(db) as sent:
        async with db.read() as tx:
            assert await tx.scalars(statement) == [row["id"]]
    [(sql, values)] = sent
    assert "'it''s'" in sql
    assert not values


async def test_a_list_of_any_length_is_one_parameter(db: Database) -> None:
    ids = [(await insert(db))["id"] for _ in range(3)]
    statement = Prepared(select(VisitRow.id).where(among(VisitRow.id, bindparam("ids"))))
    async with db.read() as tx:
        for count in (0, 1, 3):
            assert set(await tx.scalars(statement, {"ids": ids[:count]})) == set(ids[:count])


async def test_the_clock_moves_by_the_value_of_its_parameter(db: Database) -> None:
    async with db.read() as tx:
        statement = Prepared(select(tx.ops.now(bindparam("shift", type_=TimeShift())).label("moment")))
        before = await tx.current_time()
        moved = await tx.scalar(statement, {"shift": timedelta(hours=1, microseconds=1)})
    assert timedelta(hours=1) <= moved - before < timedelta(hours=1, seconds=30)


async def test_a_change_counts_its_rows_and_returns_them(db: Database) -> None:
    ids = {(await insert(db))["id"] for _ in range(2)}
    change = update(VisitRow).where(VisitRow.name == bindparam("old")).values(count=bindparam("new"))
    returning = Prepared(change.returning(VisitRow.id, VisitRow.count))
    async with db.write() as tx:
        assert await tx.execute(Prepared(change), {"old": "x", "new": 2}) == 2
        assert await tx.execute(Prepared(change), {"old": "y", "new": 2}) == 0
        returned = await tx.all(returning, {"old": "x", "new": 5})
    assert {(row.id, row.count) for row in returned} == {(each, 5) for each in ids}


async def test_a_sequence_of_values_runs_the_statement_for_each(db: Database) -> None:
    rows = [await insert(db) for _ in range(3)]
    change = update(VisitRow).where(VisitRow.id == bindparam("visit")).values(name=bindparam("title"))
    values = [{"visit": row["id"], "title": str(place)} for place, row in enumerate(rows)]
    async with db.write() as tx:
        await tx.execute(Prepared(change), values)
        names = await tx.scalars(select(VisitRow.name).order_by(VisitRow.name))
    assert names == ["0", "1", "2"]


async def test_a_missing_value_is_refused_before_anything_is_sent(db: Database) -> None:
    with statements_of(db) as sent:
        async with db.read() as tx:
            with pytest.raises(KeyError, match="visit"):
                await tx.all(by_id(tx.ops), {"visits": uuid4()})
    assert sent == []


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (DefaultRow.__table__.insert().values(name=bindparam("title")), "states all values"),  # type: ignore[attr-defined]
        (update(VisitRow).where(VisitRow.name.in_(["x", "y"])).values(count=1), "among"),
    ],
)
async def test_a_statement_that_changes_between_executions_is_refused(
    db: Database, statement: Executable, reason: str
) -> None:
    async with db.write() as tx:
        with pytest.raises(TypeError, match=reason):
            await tx.execute(Prepared(statement), {"title": "x"})


async def test_prepared_statements_are_timed_and_slow_ones_logged(database_url: str) -> None:
    database = Database(database_url, outbox=RecordingOutbox(), slow_seconds=0.0)
    before = sum(database.statements.durations.counts)
    async with database.read() as tx:
        await tx.all(Prepared(select(literal(1))))
    assert sum(database.statements.durations.counts) == before + 1
    await database.close()


class TestFinish:
    """The last statement of a transaction, with which it commits."""

    @pytest.mark.parametrize("is_only", [True, False])
    async def test_its_rows_are_returned_and_all_is_kept(self, db: Database, *, is_only: bool) -> None:
        first, second = await insert(db), await insert(db)
        rename = _rename()
        async with db.write() as tx:
            if not is_only:
                await tx.execute(rename, {"visit": first["id"], "new": "before"})
            rows = await tx.finish(rename, {"visit": second["id"], "new": "last"})
        assert [row.name for row in rows] == ["last"]
        async with db.read() as tx:
            assert set(await tx.scalars(select(VisitRow.name))) == {"x" if is_only else "before", "last"}

    async def test_a_failure_keeps_nothing(self, db: Database) -> None:
        first, second = await insert(db), await insert(db, name="other")

        async def write() -> None:
            async with db.write() as tx:
                await tx.execute(_rename(), {"visit": first["id"], "new": "before"})
                await tx.finish(_move(), {"visit": second["id"], "taken": first["id"]})

        with pytest.raises(Exception, match=r"unique|UNIQUE"):
            await write()
        async with db.read() as tx:
            assert set(await tx.scalars(select(VisitRow.name))) == {"x", "other"}
        await insert(db)  # the connection is as good as before


def _rename() -> Prepared:
    new = bindparam("new", type_=Text())
    return Prepared(update(VisitRow).where(_IS_VISIT).values(name=new).returning(VisitRow.name))


def _move() -> Prepared:
    taken = bindparam("taken", type_=Uuid())
    return Prepared(update(VisitRow).where(_IS_VISIT).values(id=taken).returning(VisitRow.id))


class TestServer:
    """What only a server can do."""

    pytestmark = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)

    @pytest.mark.parametrize("kind", ["read", "write"])
    async def test_a_connection_that_died_in_the_pool_is_replaced(self, db: Database, kind: str) -> None:
        async with db.read() as tx:
            process_id = await tx.scalar(Prepared(text("SELECT pg_backend_pid()")))
        engine = db.backend.migration_engine()
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:process_id)"), {"process_id": process_id})
        engine.dispose()
        async with getattr(db, kind)() as tx:
            assert await tx.scalar(Prepared(text("SELECT pg_backend_pid()"))) != process_id

    async def test_a_last_statement_is_not_sent_twice(self, db: Database) -> None:
        row = await insert(db)
        await self._end_connections(db)
        with pytest.raises(DatabaseUnavailable, match="did not confirm"):
            async with db.write() as tx:
                await tx.finish(_rename(), {"visit": row["id"], "new": "last"})
        async with db.write() as tx:
            assert await tx.finish(_rename(), {"visit": row["id"], "new": "last"})

    async def test_a_last_statement_that_the_server_refuses_is_known_to_be_undone(self, db: Database) -> None:
        row = await insert(db)
        values = {"visit": row["id"], "new": "last"}
        async with db.write() as holder:
            await holder.execute(_rename(), values)
            with pytest.raises(DatabaseUnavailable) as refused:
                async with db.write() as tx:
                    await tx.finish(_rename(), values)  # waits for the lock, but not for ever
        assert "did not confirm" not in str(refused.value)

    async def test_nothing_follows_a_last_statement(self, db: Database) -> None:
        row = await insert(db)

        async def write() -> None:
            async with db.write() as tx:
                await tx.finish(_rename(), {"visit": row["id"], "new": "last"})
                await tx.execute(_rename(), {"visit": row["id"], "new": "later"})

        with pytest.raises(RuntimeError, match="has ended"):
            await write()
        async with db.read() as tx:
            assert await tx.scalars(select(VisitRow.name)) == ["last"]

    async def _end_connections(self, db: Database) -> None:
        """End the connections that wait in the pool, at the server."""
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        engine = db.backend.migration_engine()
        with engine.connect() as connection:
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        engine.dispose()
