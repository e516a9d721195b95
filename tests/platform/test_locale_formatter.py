from datetime import UTC, datetime, timedelta, timezone

import pytest
from babel import Locale

from fairground.platform.locale_formatter import LocaleFormatter, utc_difference

FORMATTER = LocaleFormatter(Locale.parse("en_GB"))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "written"),
    [(7950, "EUR", "€79.50"), (1235, "JPY", "JP¥1,235"), (12345, "KWD", "KWD12.345"), (0, "GBP", "£0.00")],
)
def test_amounts_are_exact_in_every_currency(amount_minor: int, currency: str, written: str) -> None:
    assert FORMATTER.money(amount_minor, currency) == written


@pytest.mark.parametrize(
    ("zone", "month", "written"),
    [
        ("Europe/Berlin", 12, "Thu 3 Dec 2026, 19:00 (Berlin, UTC+1)"),
        ("Europe/Berlin", 7, "Fri 3 Jul 2026, 20:00 (Berlin, UTC+2)"),
        ("Asia/Kathmandu", 12, "Thu 3 Dec 2026, 23:45 (Kathmandu, UTC+5:45)"),
        ("America/St_Johns", 12, "Thu 3 Dec 2026, 14:30 (St John’s, UTC-3:30)"),
        ("Atlantic/Reykjavik", 12, "Thu 3 Dec 2026, 18:00 (Reykjavik, UTC)"),
        ("UTC", 12, "Thu 3 Dec 2026, 18:00 (UTC)"),
    ],
)
def test_instant_has_the_city_of_its_zone_and_the_utc_offset(zone: str, month: int, written: str) -> None:
    assert FORMATTER.when(datetime(2026, month, 3, 18, tzinfo=UTC), zone) == written


def test_end_on_another_day_has_its_day() -> None:
    starts_at = datetime(2026, 12, 3, 22, tzinfo=UTC)
    ends_at = starts_at + timedelta(minutes=30)
    assert FORMATTER.between(starts_at, ends_at, "Europe/Oslo") == "Thu 3 Dec 2026, 23:00–23:30 (Oslo, UTC+1)"
    ends_at = starts_at + timedelta(hours=3)
    assert FORMATTER.between(starts_at, ends_at, "Europe/Oslo") == "Thu 3 Dec 2026, 23:00–Fri 4 Dec 02:00 (Oslo, UTC+1)"


def test_rating_has_one_decimal_place() -> None:
    assert FORMATTER.rating(4.86) == "4.9"


@pytest.mark.parametrize(("hours", "written"), [(0, "UTC"), (-11, "UTC-11"), (12.75, "UTC+12:45"), (-0.5, "UTC-0:30")])
def test_utc_difference_is_short(hours: float, written: str) -> None:
    local = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=hours)))
    assert utc_difference(local) == written
