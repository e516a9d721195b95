"""Times statements, and logs the slow ones."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from fairground.platform.measures import DurationHistogram

SQL_MAX_CHARS: Final = 2000

log = structlog.get_logger()


class StatementWatch:
    """Times every statement of an engine, and logs the text of slow ones with the types of their parameters.

    Every value is a parameter, so the text contains none: neither names nor addresses get into the log.
    """

    def __init__(self, engine: Engine, *, slow_seconds: float) -> None:
        self.durations = DurationHistogram()
        self._slow_seconds = slow_seconds
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(self, _connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's order
        context.fairground_began_at = time.perf_counter()

    def _end(self, _connection: Any, _cursor: Any, sql: str, parameters: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's order
        self._record_since(context, sql, parameters)

    def _fail(self, failure: ExceptionContext) -> None:
        # A statement that was stopped at its time limit is the slowest of all.
        if failure.execution_context is not None and failure.statement is not None:
            self._record_since(failure.execution_context, failure.statement, failure.parameters)

    def _record_since(self, context: Any, sql: str, parameters: Any) -> None:
        began_at = getattr(context, "fairground_began_at", None)
        if began_at is not None:  # else it was refused before it was sent
            self.record(sql, parameters, time.perf_counter() - began_at)

    def record(self, sql: str, parameters: Any, seconds: float) -> None:
        """Count a statement that was run, and log it if it was slow."""
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
