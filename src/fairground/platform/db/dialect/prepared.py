"""Prepared statements: built and compiled once, then sent by the driver past SQLAlchemy's execution.

SQLAlchemy takes longer to build a statement, to look up its compiled form and to wrap its result than PostgreSQL takes
to run it (docs/adr/0031-prepared-statements.md). A prepared statement keeps its types in both directions.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, cast

from sqlalchemy import Dialect
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""The parameters of a statement; a sequence runs the statement once for each of its members."""


class Described(Protocol):
    """A cursor of a driver. Its description is read once for a statement, because psycopg makes a new one each time."""

    @property
    def description(self) -> Sequence[Any] | None: ...


Convert = Callable[[Any], Any] | None
_NO_VALUES: Final[Mapping[str, Any]] = {}


class _Parameter(NamedTuple):
    name: str
    key: str
    """Under which a caller gives its value."""
    convert: Convert


@dataclass(frozen=True)
class Fetched:
    """The rows of a statement, and how many rows it changed or returned."""

    rows: Sequence[Any]
    rowcount: int

    def all(self) -> Sequence[Any]:
        return self.rows


class Prepared:
    """A statement of one dialect whose values are parameters: `bindparam("name", type_=…)`.

    It is kept as long as the program runs, by an `lru_cache` over the dialect and its shape. A list of values is one
    parameter (`among`), because the number of parameters is part of the text.
    """

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: CompiledStatement | None = None

    def compiled(self, dialect: Dialect) -> "CompiledStatement":
        if self._compiled is None:
            self._compiled = CompiledStatement(self.statement, dialect)
        return self._compiled


class CompiledStatement:
    """The text of a statement for its driver, and how values and rows are converted."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled, asked_for = _compile(statement, dialect)
        self.sql = str(compiled)
        self._dialect = dialect
        self._columns = [(column.key, column.type) for column in getattr(statement, "exported_columns", ())]
        self._make_row = _row_class([key for key, _ in self._columns])._make
        self._converters: list[tuple[int, Callable[[Any], Any]]] | None = None
        self._order = compiled.positiontup
        self._fixed: dict[str, Any] = {}
        parameters: dict[str, _Parameter] = {}  # a statement may use one several times
        for bound, name in compiled.bind_names.items():
            convert = _converter(bound.type, dialect)
            if bound.key in asked_for:
                parameters[name] = _Parameter(name, bound.key, convert)
            else:
                value = bound.effective_value
                self._fixed[name] = value if convert is None else convert(value)
        self._parameters = list(parameters.values())

    def parameters(self, values: Values) -> Any:
        """Return the values as the driver takes them, a list of them for a sequence.

        Raises:
            KeyError: A parameter has no value.
        """
        if values is None or isinstance(values, Mapping):
            return self._parameters_of(values)
        return [self._parameters_of(each) for each in values]

    def _parameters_of(self, values: Mapping[str, Any] | None) -> Any:
        given, found = values or _NO_VALUES, dict(self._fixed)
        for name, key, convert in self._parameters:
            value = given[key]
            found[name] = value if convert is None else convert(value)
        return found if self._order is None else tuple(found[name] for name in self._order)

    def rows(self, fetched: Sequence[Sequence[Any]], cursor: Described) -> Sequence[Any]:
        """Return what was fetched as named tuples of Python's values."""
        if not fetched or not self._columns:
            return fetched
        if self._converters is None:
            self._converters = self._result_converters(cursor.description or ())
        make = self._make_row
        if not self._converters:
            return [make(row) for row in fetched]
        converted = []
        for row in fetched:
            values = list(row)
            for place, convert in self._converters:
                values[place] = convert(values[place])
            converted.append(make(values))
        return converted

    def _result_converters(self, description: Sequence[Any]) -> list[tuple[int, Callable[[Any], Any]]]:
        found = []
        for place, ((_, column_type), described) in enumerate(zip(self._columns, description, strict=True)):
            convert = column_type.dialect_impl(self._dialect).result_processor(self._dialect, described[1])
            if convert is not None:
                found.append((place, cast("Callable[[Any], Any]", convert)))
        return found


def _row_class(names: Sequence[str]) -> Any:
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 - its fields are the columns of a statement


def _compile(statement: Executable, dialect: Dialect) -> tuple[SQLCompiler, Collection[str]]:
    """Compile a statement, and return the keys of the parameters that have no value.

    Raises:
        TypeError: Its text or its values are made at each execution.
    """
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect))
    asked_for = {bound.key for bound in compiled.bind_names if bound.required}
    if compiled.prefetch:
        raise TypeError("A prepared statement states all values: a default of Python's is made at each execution.")
    if compiled.literal_execute_params or compiled.post_compile_params:
        raise TypeError("A prepared statement has one text: use `among` for a list and `constant` for a literal.")
    return compiled, asked_for


def _converter(value_type: TypeEngine[Any], dialect: Dialect) -> Convert:
    return value_type.dialect_impl(dialect).bind_processor(dialect)
