"""What a mapping has for a column, in the words of each dialect."""

from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


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
