"""How each dialect stores text whose beginning is searched for."""

from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator
from sqlalchemy.types import TypeEngine


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
