"""What a mapping has for a column, on both dialects, whatever is in it and however often it is asked."""

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import literal, select, union_all

from fairground.platform.db.database import Database
from fairground.platform.db.types import looked_up
from tests.support.outbox import RecordingOutbox
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

WORDS = ("Europe/Oslo", "Etc/GMT+5", "Under.Way", "a")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox())
    yield database
    await database.close()


async def test_a_key_is_found_as_it_is_written_and_others_are_null(db: Database) -> None:
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


async def test_mappings_of_any_size_are_one_parameter_of_one_statement(db: Database) -> None:
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
