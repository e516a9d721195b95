"""SQL about values of columns: `among` and `looked_up` find the same on both dialects, each by one parameter."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData, literal, select, text, union_all
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.database import Database
from fairground.platform.db.types import TYPE_ANNOTATION_MAP, BytewiseText, among, looked_up
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of

pytestmark = pytest.mark.anyio

WORDS: Final = ("Europe/Oslo", "Etc/GMT+5", "Under.Way", "a")


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
async def test_among_finds_what_in_finds_for_every_type(db: Database, name: str, taken: int) -> None:
    rows = places(900)
    values = [row[name] for row in rows[:taken]]
    column = getattr(PlaceRow, name)
    async with db.write() as tx:
        await tx.insert_many(PlaceRow, rows)
        found = await tx.scalars(select(PlaceRow.size).where(among(column, values)).order_by(PlaceRow.size))
        assert found == await tx.scalars(select(PlaceRow.size).where(column.in_(values)).order_by(PlaceRow.size))
    assert found == list(range(taken))


async def test_among_sends_values_of_any_number_as_one_parameter(db: Database) -> None:
    with statements_of(db) as sent:
        async with db.read() as tx:
            for count in (1, 70_000):
                assert await tx.scalars(select(PlaceRow.size).where(among(PlaceRow.id, [uuid4()] * count))) == []
    queries = [statement for statement in sent if "test_place" in statement[0]]
    assert len({sql for sql, _ in queries}) == 1
    assert {len(values) for _, values in queries} == {1}


async def test_among_uses_the_index_of_its_column(db: Database) -> None:
    async with db.write() as tx:
        await tx.insert_many(PlaceRow, places(5_000))
        await tx.execute(text("ANALYZE"))
    with statements_of(db) as sent:
        async with db.read() as tx:
            await tx.all(select(PlaceRow.size).where(among(PlaceRow.name, ["a", "b"])))
    assert "ix_test_place_name" in explain(db, sent[-1])


@pytest.mark.parametrize("name", ["id", "name", "size", "seen_at"])
async def test_a_scan_reads_the_values_of_among_once(db: Database, dialect: str, name: str) -> None:
    if dialect == "sqlite":
        pytest.skip("NOT RUN: SQLite makes a list of the values before it scans")
    with statements_of(db) as sent:
        async with db.read() as tx:
            await tx.all(select(PlaceRow.size).where(among(getattr(PlaceRow, name), [places(1)[0][name]])))
    plan = explain(db, sent[-1], preparing=["SET enable_indexscan = off", "SET enable_bitmapscan = off"])
    # A constant array is printed as a text with its type. A cast of anything else is done again for every row.
    assert re.search(r"= ANY \('(?:[^']|'')*'::[a-z ]+\[\]", plan), plan


async def test_looked_up_finds_keys_as_they_are_written_and_null_for_others(db: Database) -> None:
    starts = {"Europe/Oslo": "1730", "Etc/GMT+5": "0000", "Under.Way": "ø", "A": "1200", "Under": "2000"}
    words = union_all(*(select(literal(word).label("word")) for word in WORDS)).subquery()
    async with db.read() as tx:
        asked = select(words.c.word, looked_up("starts", words.c.word))
        found = await tx.all(asked, {"starts": json.dumps(starts)})
        assert dict(tuple(row) for row in found) == {
            "Europe/Oslo": "1730",
            "Etc/GMT+5": "0000",
            "Under.Way": "ø",
            "a": None,
        }
        assert [row.word for row in await tx.all(asked, {"starts": "{}"}) if row[1] is not None] == []


async def test_looked_up_sends_a_mapping_of_any_size_as_one_parameter(db: Database) -> None:
    with statements_of(db) as sent:
        async with db.read() as tx:
            for count in (1, 600):
                starts = {f"zone {number}": str(number) for number in range(count)}
                twice = [looked_up("starts", literal("zone 0")).label(name) for name in ("one", "other")]
                [found] = await tx.all(select(*twice), {"starts": json.dumps(starts)})
                assert tuple(found) == ("0", "0")
    queries = [statement for statement in sent if "zone" in str(statement[1])]
    assert len({sql for sql, _ in queries}) == 1
    # PostgreSQL gets the mapping once, because it would parse each parameter; SQLite's parameters have no names.
    assert {len(values) for _, values in queries} == {3 if db.backend.ops.name == "postgresql" else 4}
