"""Logs: one line an event, with fields; for people on a terminal, JSON for machines."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

# A traceback without the values of variables: they include passwords and addresses, and rendering them blocks the
# event loop for seconds.
_AS_DATA: Final = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
_AS_TEXT: Final = structlog.dev.plain_traceback


def configure_logs(*, stream: TextIO | None = sys.__stderr__, level: int = logging.INFO) -> None:
    """Send every log line from a level up, those of libraries included, to one stream in one form."""
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
    ]
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=_AS_TEXT)]
        if is_terminal
        else [_AS_DATA, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_record, *render])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _drop_record(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
