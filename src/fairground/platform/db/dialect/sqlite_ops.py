"""What SQLite says in its own words."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BigInteger, Select, literal_column, select, table, type_coerce, union_all
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from fairground.platform.db.dialect.base import BulkInsert, Key
from fairground.platform.db.dialect.columns import UtcDateTime
from fairground.platform.db.dialect.text_search import TextQuery, WordIndex

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as ConflictInsert

# julianday is the finest clock that SQLite has before 3.42: about 40 microseconds.
_CLOCK = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


class SQLiteOps:
    name = "sqlite"

    def now(self, shift: timedelta) -> ColumnElement[Any]:
        # The shift is a parameter, so that the statement is compiled once whatever it is.
        return type_coerce(literal_column(_CLOCK, BigInteger) + shift // timedelta(microseconds=1), UtcDateTime)

    def later(self, instant: ColumnElement[Any], *, by: timedelta) -> ColumnElement[Any]:
        return type_coerce(type_coerce(instant, BigInteger) + by // timedelta(microseconds=1), UtcDateTime)

    def insert(self, table: FromClause) -> "ConflictInsert":
        return cast("ConflictInsert", insert(cast("Any", table)))

    def insert_many(self, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> BulkInsert:
        return self.insert(table).on_conflict_do_nothing(), rows

    def find_words(
        self,
        index: WordIndex,
        query: ColumnElement[TextQuery],
        *,
        columns: Sequence[InstrumentedAttribute[Any]],
        at_most: int,
    ) -> Select[Any]:
        indexed = table(index.name)
        number: ColumnElement[int] = literal_column(f"{index.table}.number")
        found = literal_column(index.name).op("MATCH")(query)
        statement = select(*columns).join(indexed, literal_column(f"{index.name}.rowid") == number)
        return statement.where(found).limit(at_most)

    def unindexed(self, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        # It takes any range for rare, and would rather sort all of it than read a page in the order of another index.
        return column + 0

    def for_each(self, keys: Sequence[Key], part: Callable[[Key], Select[Any]]) -> Executable:
        # As a sub-query, because a member of a UNION may have no limit of its own.
        return union_all(*(select(part(key).subquery()) for key in keys))

    def prefer_indexes(self) -> Executable | None:
        return None

    # The one writer has the whole database to itself, so there is nothing to lock or to pass over.
    def lock_rows(self, select: Select[Any]) -> Select[Any]:
        return select

    def skip_locked(self, select: Select[Any]) -> Select[Any]:
        return select
