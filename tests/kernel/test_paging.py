"""Pages by number end at 10,000 items, and a cursor says where a page ended."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from fairground.kernel.ids import uuid7
from fairground.kernel.paging import CURSOR_MAX_LENGTH, CursorInvalid, PageTooDeep, TimeCursor, offset_of


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
