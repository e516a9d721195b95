from datetime import UTC, date, datetime

import pytest
from babel import Locale

from fairground.web.assets import STATIC_FOLDER
from fairground.web.formats import TONES, Formats, browser_name, initials

FORMATS = Formats(Locale.parse("en_GB"))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "money", "price"),
    [
        (7950, "EUR", "€79.50", "€79.50"),
        (8000, "EUR", "€80.00", "€80"),
        (123456700, "EUR", "€1,234,567.00", "€1,234,567"),
        (1235, "JPY", "JP¥1,235", "JP¥1,235"),
        (12345, "KWD", "KWD12.345", "KWD12.345"),
        (0, "GBP", "£0.00", "£0"),
        (125050, "RSD", "RSD1,250.50", "RSD1,250.50"),
        (125000, "ALL", "ALL1,250.00", "ALL1,250"),
        (125001, "LBP", "LBP1,250.01", "LBP1,250.01"),
        (12345, "IQD", "IQD12.345", "IQD12.345"),
        (125, "UGX", "UGX125", "UGX125"),
        (1250, "BGN", "BGN12.50", "BGN12.50"),
    ],
)
def test_amounts_are_exact_in_every_currency(amount_minor: int, currency: str, money: str, price: str) -> None:
    assert FORMATS.money(amount_minor, currency) == money
    assert FORMATS.price(amount_minor, currency) == price


def test_an_instant_names_the_place_of_its_clock_and_carries_utc() -> None:
    written = FORMATS.when(datetime(2026, 12, 3, 18, 0, tzinfo=UTC), "Europe/Berlin")
    assert (
        written
        == '<time datetime="2026-12-03T18:00:00Z" data-offset-minutes="60">Thu 3 Dec 2026, 19:00 (Berlin)</time>'
    )


def test_an_end_on_the_same_day_is_only_a_time() -> None:
    starts_at, ends_at = datetime(2026, 12, 3, 18, 0, tzinfo=UTC), datetime(2026, 12, 3, 19, 30, tzinfo=UTC)
    assert "Thu 3 Dec 2026, 19:00–20:30 (Oslo)" in FORMATS.between(starts_at, ends_at, "Europe/Oslo")


def test_an_end_after_midnight_names_its_day() -> None:
    starts_at, ends_at = datetime(2026, 12, 3, 22, 0, tzinfo=UTC), datetime(2026, 12, 4, 1, 0, tzinfo=UTC)
    assert "Thu 3 Dec 2026, 23:00–Fri 4 Dec 02:00 (Oslo)" in FORMATS.between(starts_at, ends_at, "Europe/Oslo")


def test_days_and_months_are_written_out() -> None:
    on = date(2026, 12, 3)
    assert FORMATS.day(on) == "Thursday 3 December"
    assert FORMATS.full_day(on) == "3 December 2026"
    assert FORMATS.month(on) == "December 2026"


@pytest.mark.parametrize(
    ("name", "letters"), [("Maya & the Tides", "MT"), ("Cher", "C"), ("—", "?"), ("ünal usta", "ÜU"), ("", "?")]
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_every_tone_has_its_background() -> None:
    sheet = (STATIC_FOLDER / "css" / "cards.css").read_text()
    assert all(f".tone-{number} " in sheet for number in range(TONES))


_GECKO = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604.1"
_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"


@pytest.mark.parametrize(
    ("described", "name"),
    [
        (_GECKO, "Firefox, Windows"),
        (_IPHONE, "Safari, iPhone"),
        (_CHROME, "Chrome, Linux"),
        (_CHROME + " Edg/156.0", "Edge, Linux"),
        ("Calendar of Firefox/ fans", "Calendar of Firefox/ fans"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_browser_is_named_as_people_name_it(described: str, name: str) -> None:
    assert browser_name(described) == name
