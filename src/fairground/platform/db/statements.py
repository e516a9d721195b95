"""How long statements take, and which of them take too long."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from fairground.platform.db.dialect.base import IS_OPENING
from fairground.platform.measures import DurationHistogram

SQL_MAX_CHARS: Final = 2000

log = structlog.get_logger()


class StatementWatch:
    """Times every statement of an engine, and logs the slow ones: their text, and of their parameters only the kind.

    The text has no values in it, because every value is a parameter; so neither names nor addresses come into the log.
    """

    def __init__(self, engine: Engine, *, slow_seconds: float) -> None:
        self.durations = DurationHistogram()
        self._slow_seconds = slow_seconds
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(self, _connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's order
        if not context.execution_options.get(IS_OPENING):
            context.fairground_began_at = time.perf_counter()

    def _end(self, _connection: Any, _cursor: Any, sql: str, parameters: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's order
        self._judge(sql, parameters, context)

    def _fail(self, failure: ExceptionContext) -> None:
        # What ran into a limit is the slowest of all.
        if failure.execution_context is not None and failure.statement is not None:
            self._judge(failure.statement, failure.parameters, failure.execution_context)

    def _judge(self, sql: str, parameters: Any, context: Any) -> None:
        began_at = getattr(context, "fairground_began_at", None)
        if began_at is None:
            return  # it was refused before it was sent, or only opens a transaction
        seconds = time.perf_counter() - began_at
        self.durations.add(seconds)
        if seconds >= self._slow_seconds:
            log.warning(
                "database.slow_statement",
                seconds=round(seconds, 3),
                sql=" ".join(sql.split())[:SQL_MAX_CHARS],
                parameters=redact(parameters),
            )


def redact(parameters: Any) -> Any:
    """Return the types of parameters in their place, with the lengths of what has one."""
    match parameters:
        case Mapping():
            return {name: redact(value) for name, value in parameters.items()}
        case [Mapping() | tuple(), *_] as rows if isinstance(parameters, Sequence):
            return f"{len(rows)} rows of {redact(rows[0])}"
        case tuple():
            return [redact(value) for value in parameters]
        case str() | bytes() | list():
            return f"{type(parameters).__name__}({len(parameters)})"
        case _:
            return type(parameters).__name__
