"""`for_each` selects a part for each of several keys in one statement, with an order and a limit of its own."""

from typing import Any

from sqlalchemy import Integer, Select, Text, insert, literal, select

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import Key
from fairground.platform.jobs.tables import ScheduleRow
from tests.support.statements import statements_of


async def test_each_key_has_its_own_rows_order_and_limit(db: Database) -> None:
    async with db.write() as tx:
        now = await tx.current_time()
        for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
            await tx.execute(insert(ScheduleRow).values(kind=name, next_at=now))

    def part(key: Key) -> Select[Any]:
        begins_so = ScheduleRow.kind.startswith(key["prefix"])
        return select(ScheduleRow.kind).where(begins_so).order_by(ScheduleRow.kind.desc()).limit(key["limit"])

    limits = {"a": 2, "b": 1, "x": 5}
    keys: list[Key] = [
        {"prefix": literal(prefix, Text()), "limit": literal(n, Integer())} for prefix, n in limits.items()
    ]
    with statements_of(db) as statements:
        async with db.read() as reading:
            found = await reading.scalars(reading.ops.for_each(keys, part))
    assert sorted(found) == ["a2", "a3", "b2"]
    assert len(statements) == 1
