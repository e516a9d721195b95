"""Columns and tables as each dialect stores them, and SQL about their values; for tables, stores and migrations."""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Interval,
    Text,
    TypeDecorator,
    Uuid,
    bindparam,
    literal_column,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import ARRAY, TypeEngine, UserDefinedType

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_utc(instant: datetime) -> datetime:
    """Return the instant in UTC.

    Raises:
        ValueError: It has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone; instants are stored in UTC, so pass an aware datetime.")
    return instant.astimezone(UTC)


BUSY_TABLE: Final[dict[str, Any]] = {
    # Room on each page keeps an updated row beside its old version, so that no index changes; and a table that is
    # mostly dead rows is cleaned long before the usual fifth of it has changed.
    "postgresql_with": {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01},
}
"""For a table whose rows change several times within seconds."""

READ_FROM_INDEXES: Final[dict[str, Any]] = {
    # An index-only scan needs pages that were vacuumed since they were last written; elsewhere it reads the row as
    # well, which takes four times as long.
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_insert_scale_factor": 0.02},
}
"""For a table that is read from its indexes alone."""


def only_where(condition: str) -> dict[str, Any]:
    """Return the arguments that make an index partial: only rows for which the SQL condition holds are in it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Python sees aware datetimes in UTC on every dialect; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_EpochMicroseconds() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)


class _EpochMicroseconds(TypeDecorator[datetime]):
    """Integer microseconds since 1970: SQLite has no type for an instant, and a text would lose its offset."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _EPOCH + value * _MICROSECOND


class TimeShift(TypeDecorator[timedelta]):
    """How far the clock of the database is moved by an expression of `SQLOps.now`."""

    impl = Interval
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Interval())

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> Any:
        return value // _MICROSECOND if value is not None and dialect.name == "sqlite" else value


class BytewiseText(TypeDecorator[str]):
    """Text that is ordered by its code points, so that a plain index answers for every prefix.

    `column >= prefix AND column < after_prefix(prefix)` is then exact on both dialects. PostgreSQL would otherwise
    order text by the language of the database, in which a prefix is no range.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


def after_prefix(prefix: ColumnElement[str]) -> ColumnElement[str]:
    """Return the text that sorts directly behind all texts with this prefix."""
    return prefix + "\U0010ffff"


def constant(value: str | int) -> ColumnElement[Any]:
    """Return a value of the program as SQL text, which a partial index needs in order to match."""
    return literal_column(str(value) if isinstance(value, int) else "'{}'".format(value.replace("'", "''")))


class among(FunctionElement[bool]):  # noqa: N801 - used as a function: `where(among(Row.id, ids))`
    """A condition: the column is one of any number of values.

    `column.in_(values)` makes a parameter of each value; five hundred of them take longer to send than the rows to
    find. Here all values are one parameter.
    """

    # It has no type on purpose: SQLAlchemy would write `= 1` behind a Boolean, where no index is used any more.
    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[Any], values: Collection[Any] | BindParameter[Any]) -> None:
        """Make the condition; a prepared statement names its parameter: `among(Row.id, bindparam("ids"))`."""
        of_column = _ListOf(column.type)
        if isinstance(values, BindParameter):
            listed = bindparam(values.key, type_=of_column)
        else:
            listed = bindparam(None, list(values), of_column)
        super().__init__(column, listed)


class _Untyped(UserDefinedType[str]):
    """A text that is sent without a type, so that PostgreSQL reads it once as what the statement casts it to.

    A cast from VARCHAR to an array is no constant to it: a scan would read the list again for every row.
    """

    cache_ok = True


class _ListOf(TypeDecorator[list[Any]]):
    """A list in one parameter: an array, or JSON where there are none.

    psycopg takes 20 µs to write an array of ten ids, for each of its uses; as a text it takes 8.
    """

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(_Untyped() if self.is_written_as_text else ARRAY(self.item))

    @property
    def is_written_as_text(self) -> bool:
        """Whether PostgreSQL gets the text of an array, which needs no quotation marks."""
        return isinstance(self.item, Uuid | Integer)

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        if value is None:
            return value
        if dialect.name == "postgresql":
            return f"{{{','.join(map(str, value))}}}" if self.is_written_as_text else value
        write = self.item.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps(value if write is None else [write(each) for each in value])


@compiles(among, "postgresql")
def _any_of_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    listed = list(element.clauses)[1].type
    if isinstance(listed, _ListOf) and listed.is_written_as_text:
        item = compiler.dialect.type_compiler_instance.process(listed.item)
        return f"{column} = ANY (CAST({values} AS {item}[]))"
    return f"{column} = ANY ({values})"


@compiles(among, "sqlite")
def _in_json(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are parts of the statement


class looked_up(FunctionElement[str]):  # noqa: N801 - used as a function: `looked_up("starts", Row.timezone)`
    """The entry of a mapping of texts for the value of a column; NULL where the mapping has none.

    A CASE of six hundred values takes longer to send and to plan than to run. Here the mapping is one parameter, in
    which the database searches by halves.
    """

    type = Text()
    inherit_cache = True

    def __init__(self, name: str, column: ColumnElement[str] | Any) -> None:
        """Make the expression.

        Args:
            name: The parameter, whose value is the mapping as a JSON object. Its keys are ASCII without quotation
                marks. A statement may use it several times; PostgreSQL reads it once.
        """
        super().__init__(bindparam(name, type_=Text()), column)


@compiles(looked_up, "postgresql")
def _of_jsonb(element: looked_up, compiler: SQLCompiler, **options: Any) -> str:
    mapping, column = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({mapping} AS JSONB) ->> {column})"


@compiles(looked_up, "sqlite")
def _of_json(element: looked_up, compiler: SQLCompiler, **options: Any) -> str:
    mapping, column = (compiler.process(clause, **options) for clause in element.clauses)
    return f"""json_extract({mapping}, '$."' || {column} || '"')"""
