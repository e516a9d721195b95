"""SQL expressions in the words of each dialect."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, bindparam
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


class looked_up(FunctionElement[str]):  # noqa: N801 - reads as what it says: `looked_up("starts", Row.timezone)`
    """What a mapping of texts has for the value of a column; NULL for a value that it does not have.

    A CASE of six hundred values is a statement that takes longer to write, to read and to plan than to answer. Here
    the mapping is one parameter, and a look into it a search by halves.
    """

    type = Text()
    inherit_cache = True

    def __init__(self, name: str, column: ColumnElement[str] | Any) -> None:
        """Make the expression.

        Args:
            name: Of the parameter, whose value is the mapping as a JSON object. Its keys are of ASCII and have no
                quotation marks. However often a statement asks for it, PostgreSQL reads it once.
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
