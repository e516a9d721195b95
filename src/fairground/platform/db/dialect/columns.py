"""Columns and tables as each dialect stores them; for `tables.py` and migrations alike."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, DateTime, Dialect, Text, TypeDecorator, text
from sqlalchemy.types import TypeEngine

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
    # An index alone answers only for pages that were cleaned since they were last written; for others the row is read
    # as well, which takes four times as long.
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_insert_scale_factor": 0.02},
}
"""For a table whose indexes have all that is asked of it."""


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
    """Return a text that sorts behind every text with this prefix and before all the others that follow them."""
    return prefix + "\U0010ffff"
