import io
import json
import logging
import secrets
from collections.abc import Iterator

import pytest
import structlog

from fairground.platform.logs import configure_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_machines_get_one_json_object_a_line_with_the_fields() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    structlog.get_logger().info("booking.held", booking_id="b1", cells=4)
    (line,) = lines_of(stream)
    assert line.pop("timestamp")
    assert line == {"event": "booking.held", "booking_id": "b1", "cells": 4, "level": "info"}


def test_libraries_speak_in_the_same_form_from_warnings_up() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("pool is %s", "full")
    (line,) = lines_of(stream)
    assert (line["event"], line["level"]) == ("pool is full", "warning")


def test_an_error_keeps_its_traceback_as_data() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    try:
        raise KeyError("zone")
    except KeyError:
        structlog.get_logger().exception("job.failed")
    (line,) = lines_of(stream)
    assert "KeyError" in json.dumps(line["exception"])


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_logged_error_has_its_traceback_without_values_of_variables(stream: io.StringIO) -> None:
    def sign_in(password: str) -> None:
        raise KeyError(len(password))

    secret = secrets.token_hex()
    configure_logs(stream=stream)
    try:
        sign_in(secret)
    except KeyError:
        structlog.get_logger().exception("job.failed")
    assert "sign_in" in stream.getvalue()
    assert secret not in stream.getvalue()


def test_below_the_level_nothing_is_said() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream, level=logging.WARNING)
    structlog.get_logger().info("booking.held")
    structlog.get_logger().warning("job.retried")
    assert [line["event"] for line in lines_of(stream)] == ["job.retried"]


def test_people_get_a_line_to_read() -> None:
    stream = Terminal()
    configure_logs(stream=stream)
    structlog.get_logger().info("booking.held", booking_id="b1")
    assert "booking.held" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
