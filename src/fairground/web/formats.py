"""Values as pages write them: amounts, days and instants in one locale, initials of names, names of browsers."""

import unicodedata
import zlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal
from markupsafe import Markup

from fairground.kernel.addresses import COUNTRIES
from fairground.kernel.zones import get_zone
from fairground.platform.locale_formatter import LocaleFormatter

TONES: Final = 8  # as many as `static/css/cards.css` has classes .tone-0, .tone-1, …
# In this order, because the User-Agent of most browsers also contains the marks of later ones.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_NAME_MAX_LENGTH: Final = 60


class Formats:
    """Filters of the templates that depend on a locale: each public attribute is one."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        formatter = LocaleFormatter(locale)
        self.money, self.price, self.rating = formatter.money, formatter.price, formatter.rating
        self.city, self.place_of_clock = formatter.city, formatter.place_of_clock
        self.zone_words = formatter.zone_words
        self.time, self.short_day = formatter.time, formatter.short_day
        self.moment, self.span = formatter.moment, formatter.span

    def country(self, code: str) -> str:
        """Return the name of a country: "NO" is "Norway"."""
        return str(self._locale.territories.get(code, code))

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self._locale)

    def day(self, on: date) -> str:
        """Return "Thursday 3 December"."""
        return format_date(on, "EEEE d MMMM", locale=self._locale)

    def full_day(self, on: date) -> str:
        """Return "3 December 2026"."""
        return format_date(on, "long", locale=self._locale)

    def whole_day(self, on: date) -> str:
        """Return "Thursday 3 December 2026"."""
        return format_date(on, "EEEE d MMMM y", locale=self._locale)

    def weekday(self, on: date) -> str:
        """Return "Thu"."""
        return format_date(on, "EEE", locale=self._locale)

    def short_month(self, on: date) -> str:
        """Return "Dec"."""
        return format_date(on, "MMM", locale=self._locale)

    def month(self, on: date) -> str:
        """Return "December 2026"."""
        return format_skeleton("yMMMM", on, locale=self._locale)

    def short_days_between(self, first: date, last: date) -> str:
        """Return "7 Dec – 13 Dec 2026"."""
        start = format_skeleton("MMMd", first, locale=self._locale)
        return f"{start} – {format_skeleton('yMMMd', last, locale=self._locale)}"

    def clock(self, wall: time) -> str:
        """Return "09:30", as a clock on the wall shows it."""
        return format_time(wall, "short", locale=self._locale)

    def days_between(self, first: date, last: date) -> str:
        """Return "Thursday 24 December 2026 – Sunday 3 January 2027", or the one day."""
        return self.whole_day(first) if first == last else f"{self.whole_day(first)} – {self.whole_day(last)}"

    def when(self, instant: datetime, zone: str) -> Markup:
        """Return "Thu 3 Dec 2026, 19:00 (Berlin)" in a `<time>` that carries the instant in UTC."""
        return _time_element(instant, zone, words=f"{self.moment(instant, zone)} ({self.city(zone)})")

    def between(self, starts_at: datetime, ends_at: datetime, zone: str) -> Markup:
        """Return "Thu 3 Dec 2026, 19:00–20:30 (Berlin)" in a `<time>` that carries the start in UTC."""
        return _time_element(starts_at, zone, words=f"{self.span(starts_at, ends_at, zone)} ({self.city(zone)})")


def list_countries(locale: Locale) -> list[tuple[str, str]]:
    """Return the codes and names of all countries, in the order of their names without accents."""
    names = [(code, str(locale.territories.get(code, code))) for code in COUNTRIES]
    return sorted(names, key=lambda pair: unicodedata.normalize("NFD", pair[1]))


def tone(name: str) -> int:
    """Return the number of the background that is shown in place of a missing picture."""
    return zlib.crc32(name.encode()) % TONES


def initials(name: str) -> str:
    """Return at most two letters for a name: "MT" for "Maya & the Tides"."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    ends = words if len(words) == 1 else [words[0], words[-1]]
    return "".join(word[0] for word in ends).upper()


def date_in(instant: datetime, zone: str) -> date:
    """Return the date that the calendars of the zone show at the instant."""
    return instant.astimezone(get_zone(zone)).date()


def utc(instant: datetime) -> str:
    """Return the instant as machines read it: "2026-12-03T18:00:00Z"."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def browser_name(described: str) -> str:
    """Return "Chrome, Linux" for the User-Agent of a browser; other names are returned as they are."""
    found = [
        next((name for mark, name in marks if mark in described), None)
        for marks in (_BROWSERS, _SYSTEMS)
        if described.startswith("Mozilla/")
    ]
    return ", ".join(name for name in found if name) or described[:_NAME_MAX_LENGTH]


def your_time(instant: datetime, zone: str) -> Markup:
    """Return the element in which script writes the reader's own time, where it differs from the zone's."""
    offset_minutes = _offset_minutes(instant, zone)
    return Markup('<your-time datetime="{}" data-offset-minutes="{}"></your-time>').format(utc(instant), offset_minutes)


def _offset_minutes(instant: datetime, zone: str) -> int:
    return (instant.astimezone(get_zone(zone)).utcoffset() or timedelta(0)) // timedelta(minutes=1)


def _time_element(instant: datetime, zone: str, *, words: str) -> Markup:
    # The browser compares the reader's clock by this offset. By the name of the zone it would use rules of its own.
    offset_minutes = _offset_minutes(instant, zone)
    return Markup('<time datetime="{}" data-offset-minutes="{}">{}</time>').format(utc(instant), offset_minutes, words)
