"""Whether a column is one of many values, in the words of each dialect."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import ARRAY, TypeEngine


class among(FunctionElement[bool]):  # noqa: N801 - reads as what it says: `where(among(Row.id, ids))`
    """A condition: the column is one of the values, however many those are.

    `column.in_(values)` makes a parameter of each value: to write and read five hundred of them takes longer than to
    find the rows. Here they are one.
    """

    # It has no type on purpose: SQLAlchemy would write `= 1` behind a Boolean, where no index is used any more.
    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[Any], values: Collection[Any]) -> None:
        super().__init__(column, bindparam(None, list(values), _ListOf(column.type)))


class _ListOf(TypeDecorator[list[Any]]):
    """A list in one parameter: an array, or JSON where there are none."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        write = self.item.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps(value if write is None else [write(each) for each in value])


@compiles(among, "postgresql")
def _any_of_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(among, "sqlite")
def _in_json(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are parts of the statement
