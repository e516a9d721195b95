"""The word index finds the same rows on both dialects, follows every change, and is used."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from sqlalchemy import Text, insert, literal, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.text_search import Condition, WordIndex
from fairground.platform.db.types import RowNumber, TextQuery, TextQueryType
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    pass


class LeafRow(Base):
    __tablename__ = "leaf"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    words: Mapped[str] = mapped_column(Text)


INDEX: Final = WordIndex(table="leaf")
LEAVES: Final = ("nred noak", "nreddish cbig_leaf", "n東京 n京", "nщит", "", "noak cbig_leaf nδδδ")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox())
    engine = database.backend.migration_engine()
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        INDEX.ensure(connection)
        INDEX.ensure(connection)
        connection.execute(insert(LeafRow), [{"words": words} for words in LEAVES])
    engine.dispose()
    yield database
    await database.close()


async def find(db: Database, condition: Condition, *, unless: Condition | None = None, at_most: int = 100) -> list[int]:
    async with db.read() as tx:
        await tx.prefer_indexes()
        query = literal(TextQuery(condition, unless=unless), TextQueryType())
        statement = tx.ops.find_words(INDEX, query, columns=[LeafRow.number], at_most=at_most)
        return sorted(await tx.scalars(statement))


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ([[["nred"]]], [1]),
        ([[["nred*"]]], [1, 2]),
        ([[["nred", "noak"]]], [1]),
        ([[["nred"], ["nδδδ"]], [["noak"]]], [1, 6]),
        ([[["cbig_leaf"]]], [2, 6]),
        ([[["cbig*"]], [["nred*"], ["nщ*"]]], [2]),
        ([[["nщи*"]]], [4]),
        ([[["n東*"]]], [3]),
        ([[["n京"]]], [3]),
        ([[["big"]], [["leaf"]]], []),
    ],
)
async def test_a_condition_is_all_of_any_of_all_of_tokens(
    db: Database, condition: Condition, numbers: list[int]
) -> None:
    assert await find(db, condition) == numbers


@pytest.mark.parametrize(
    ("condition", "unless", "numbers"),
    [
        ([[["nred*"]]], [[["nred"]]], [2]),
        ([[["nred*"], ["noak"]]], [[["noak"]], [["cbig_leaf"]]], [1, 2]),
        ([[["noak"]], [["nred"], ["nδδδ"]]], [[["nred", "noak"], ["nщит"]]], [6]),
        ([[["noak"]]], [[["noak"]]], []),
        ([[["noak"]]], [[["nnobody"]]], [1, 6]),
    ],
)
async def test_rows_of_another_condition_are_left_out(
    db: Database, condition: Condition, unless: Condition, numbers: list[int]
) -> None:
    assert await find(db, condition, unless=unless) == numbers


async def test_rows_that_change_and_go_are_found_as_they_are(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(text("UPDATE leaf SET words = 'nblue' WHERE number = 1"))
        await tx.execute(text("DELETE FROM leaf WHERE number = 2"))
        await tx.execute(insert(LeafRow).values(words="noak nblue"))
    assert (await find(db, [[["noak"]]]), await find(db, [[["nblue"]]])) == ([6, 7], [1, 7])
    assert await find(db, [[["nred*"]]]) == []


async def test_no_more_rows_are_looked_at_than_asked_for(db: Database) -> None:
    assert len(await find(db, [[["nred*"], ["noak"]]], at_most=2)) == 2


async def test_dropped_index_is_recreated_with_all_rows(db: Database) -> None:
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        INDEX.drop(connection)
        connection.execute(insert(LeafRow).values(words="nlate"))
        INDEX.ensure(connection)
    engine.dispose()
    assert (await find(db, [[["nlate"]]]), await find(db, [[["noak"]]])) == ([7], [1, 6])


async def test_the_index_answers(db: Database) -> None:
    with statements_of(db) as statements:
        await find(db, [[["noak"]]])
    *before, query = statements
    plan = explain(db, query, preparing=[sql for sql, _ in before])
    assert "Bitmap Index Scan on leaf_words" in plan or "SCAN leaf_words VIRTUAL TABLE" in plan
    assert "SCAN leaf\n" not in plan


async def test_an_empty_table_is_searched_too(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(text("DELETE FROM leaf"))
    assert await find(db, [[["noak"]]]) == []
    async with db.read() as tx:
        assert await tx.scalars(select(LeafRow.number)) == []
