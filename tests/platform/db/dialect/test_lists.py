"""Among many values: the same rows as IN finds, on both dialects, by one parameter and by an index."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.database import Database
from fairground.platform.db.types import TYPE_ANNOTATION_MAP, BytewiseText, among
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    metadata = MetaData()
    type_annotation_map = TYPE_ANNOTATION_MAP


class PlaceRow(Base):
    __tablename__ = "test_place"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(BytewiseText, index=True)
    size: Mapped[int]
    seen_at: Mapped[datetime]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox())
    engine = database.backend.migration_engine()
    Base.metadata.create_all(engine)
    engine.dispose()
    yield database
    await database.close()


def places(count: int) -> list[dict[str, Any]]:
    began_at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        {"id": uuid4(), "name": f"ø'\"{number}", "size": number, "seen_at": began_at + timedelta(microseconds=number)}
        for number in range(count)
    ]


@pytest.mark.parametrize("name", ["id", "name", "size", "seen_at"])
@pytest.mark.parametrize("taken", [0, 1, 700])
async def test_every_type_finds_what_in_finds(db: Database, name: str, taken: int) -> None:
    rows = places(900)
    wanted = [row[name] for row in rows[:taken]]
    column = getattr(PlaceRow, name)
    async with db.write() as tx:
        await tx.insert_many(PlaceRow, rows)
        found = await tx.scalars(select(PlaceRow.size).where(among(column, wanted)).order_by(PlaceRow.size))
        assert found == await tx.scalars(select(PlaceRow.size).where(column.in_(wanted)).order_by(PlaceRow.size))
    assert found == list(range(taken))


async def test_values_of_any_number_are_one_parameter_of_one_statement(db: Database) -> None:
    with statements_of(db) as sent:
        async with db.read() as tx:
            for count in (1, 70_000):
                assert await tx.scalars(select(PlaceRow.size).where(among(PlaceRow.id, [uuid4()] * count))) == []
    queries = [statement for statement in sent if "test_place" in statement[0]]
    assert len({sql for sql, _ in queries}) == 1
    assert {len(values) for _, values in queries} == {1}


async def test_an_index_is_asked(db: Database) -> None:
    async with db.write() as tx:
        await tx.insert_many(PlaceRow, places(5_000))
        await tx.execute(text("ANALYZE"))
    with statements_of(db) as sent:
        async with db.read() as tx:
            await tx.all(select(PlaceRow.size).where(among(PlaceRow.name, ["a", "b"])))
    assert "ix_test_place_name" in explain(db, sent[-1])
