"""Bodies: no scalar of JSON is converted, and a form is read by the same model. Lists: page numbers and cursors."""

import base64
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, Field, ValidationError

from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input, PageTooDeep, TimeCursor, offset_of


class Colour(StrEnum):
    RED = "red"


class Part(Input):
    count: int


class Sent(Input):
    number: int | None = None
    bounded: Annotated[int, Field(ge=0, le=100)] | None = None
    share: float | None = None
    flag: bool | None = None
    text: str | None = None
    day: date | None = None
    instant: AwareDatetime | None = None
    clock: time | None = None
    id: UUID | None = None
    colour: Colour | None = None
    parts: list[Part] = Field(default_factory=list)
    numbers: list[int] = Field(default_factory=list)
    by_name: dict[str, int] = Field(default_factory=dict)


WRONG: list[dict[str, Any]] = [
    *({name: value} for name in ("number", "bounded") for value in (True, False, "100", " 1 ", 1.5, 1.0, [1])),
    *({"share": value} for value in (True, "1.5", "nan")),
    *({"flag": value} for value in (0, 1, "true", "yes", "on", 1.0)),
    *({"text": value} for value in (1, 1.5, True, ["a"])),
    *({"day": value} for value in (0, 1_700_000_000, True, 1.5, "1700000000", "0")),
    *({"instant": value} for value in (0, 1_700_000_000, 1.5, True, "1700000000", " -1.5 ")),
    *({"clock": value} for value in (0, 3_600, True)),
    *({"id": value} for value in (1, True)),
    {"parts": [{"count": True}]},
    {"parts": [{"count": "1"}]},
    {"numbers": [1, True]},
    {"by_name": {"a": "1"}},
]


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_scalar_of_another_type_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate(body)


def test_values_of_their_own_type_are_taken() -> None:
    sent = Sent.model_validate(
        {
            "number": 1,
            "bounded": 100,
            "share": 2,
            "flag": False,
            "text": "  trimmed ",
            "day": "2030-05-17",
            "instant": "2030-05-17T10:00:00Z",
            "clock": "09:30",
            "id": "01890000-0000-7000-8000-000000000000",
            "colour": "red",
            "parts": [{"count": 3}],
            "numbers": [1, 2],
            "by_name": {"a": 1},
        }
    )
    assert (sent.number, sent.share, sent.flag, sent.text, sent.day) == (1, 2.0, False, "trimmed", date(2030, 5, 17))
    assert (sent.clock, sent.colour, sent.parts[0].count) == (time(9, 30), Colour.RED, 3)


def test_null_is_no_text() -> None:
    class Described(Input):
        alt: str = ""

    with pytest.raises(ValidationError):
        Described.model_validate({"alt": None})


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate({"colours": "red"})


def test_schema_says_the_same_types() -> None:
    properties = Sent.model_json_schema()["properties"]
    assert properties["instant"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert properties["bounded"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 100}


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 30, 12, 30, 15, 123_456, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-12, minutes=-34))),
    ],
)
def test_written_cursor_is_read_back(at: datetime) -> None:
    cursor = TimeCursor(at=at, id=uuid7())
    assert TimeCursor.read(cursor.write()) == cursor
    assert len(cursor.write()) <= CURSOR_MAX_LENGTH


def _word(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "word",
    [
        "",
        "x",
        "é",
        "null",
        _word("[]"),
        _word('["2026-11-30T12:00:00+00:00"]'),
        _word('["2026-11-30T12:00:00", "018f0000000070008000000000000000"]'),
        _word('["yesterday", "018f0000000070008000000000000000"]'),
        _word('["2026-11-30T12:00:00+00:00", "none"]'),
        _word("[1, 2]"),
        _word("[" * 5_000),
    ],
)
def test_other_text_is_refused_as_cursor(word: str) -> None:
    with pytest.raises(CursorInvalid) as refused:
        TimeCursor.read(word)
    assert refused.value.context["field"] == "cursor"


def test_cursor_takes_the_id_in_any_form() -> None:
    word = _word('["2026-11-30T12:00:00+00:00", "018f0000-0000-7000-8000-000000000000"]')
    assert TimeCursor.read(word).id == UUID("018f0000000070008000000000000000")


def test_last_page_by_number_ends_at_ten_thousand_items() -> None:
    assert (offset_of(page=1, limit=20), offset_of(page=100, limit=100)) == (0, 9_900)
    with pytest.raises(PageTooDeep) as refused:
        offset_of(page=101, limit=100)
    assert refused.value.context["field"] == "page"
