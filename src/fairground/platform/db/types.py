"""Column types and SQL for tables and stores, the same on both dialects, and the mapping that all tables share."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Uuid

from fairground.platform.db.dialect.columns import (
    BytewiseText,
    TimeShift,
    UtcDateTime,
    after_prefix,
    among,
    constant,
    looked_up,
)
from fairground.platform.db.dialect.text_search import RowNumber, TextQuery, TextQueryType, WordIndex

__all__ = [
    "NAMING_CONVENTION",
    "TYPE_ANNOTATION_MAP",
    "BytewiseText",
    "Json",
    "MoneyMinor",
    "RowNumber",
    "TextQuery",
    "TextQueryType",
    "TimeShift",
    "UtcDateTime",
    "WordIndex",
    "after_prefix",
    "among",
    "constant",
    "looked_up",
]

Json = JSON(none_as_null=True)
MoneyMinor = BigInteger
"""An amount in the minor unit of the currency in the column beside it."""

TYPE_ANNOTATION_MAP: Final[dict[Any, Any]] = {
    datetime: UtcDateTime,
    UUID: Uuid,
    int: BigInteger,
    dict[str, Any]: Json,
}

NAMING_CONVENTION: Final = {
    "ix": "ix_%(table_name)s__%(column_0_N_name)s",
    "uq": "uq_%(table_name)s__%(column_0_N_name)s",
    "ck": "ck_%(table_name)s__%(constraint_name)s",
    "fk": "fk_%(table_name)s__%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, because a migration on SQLite can only drop what it can name."""
