"""Amounts, days and instants as text of one locale, for pages and mails."""

from datetime import date, datetime, timedelta
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.dates import format_skeleton, format_time, get_timezone_location
from babel.numbers import format_decimal, parse_pattern

from fairground.kernel.addresses import COUNTRIES
from fairground.kernel.money import currency_exponent, major_from_minor
from fairground.kernel.zones import get_zone

# British English: day before month and a 24-hour clock, which readers of most locales take the same way.
DEFAULT_LOCALE: Final = "en_GB"
_MINUTE: Final = timedelta(minutes=1)


class LocaleFormatter:
    def __init__(self, locale: Locale) -> None:
        self._locale = locale

    def money(self, amount_minor: int, currency: str) -> str:
        """Return the amount with all its decimal places: 7950 EUR is "€79.50", 125050 RSD is "RSD 1,250.50"."""
        return self._amount(amount_minor, currency, places=currency_exponent(currency))

    def price(self, amount_minor: int, currency: str) -> str:
        """Return the amount without its decimal places if they are all zero: 8000 EUR is "€80"."""
        is_whole = amount_minor % 10 ** currency_exponent(currency) == 0
        return self._amount(amount_minor, currency, places=0) if is_whole else self.money(amount_minor, currency)

    def _amount(self, amount_minor: int, currency: str, *, places: int) -> str:
        # The places are those of ISO 4217. Babel takes those that CLDR thinks usual, fewer for RSD, ALL, LBP and
        # others, and rounds what is charged to them.
        pattern = parse_pattern(self._locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (places, places)
        major = major_from_minor(amount_minor, currency)
        return str(pattern.apply(major, self._locale, currency=currency, currency_digits=False))

    def rating(self, value: float) -> str:
        """Return a rating with one decimal place: 4.86 is "4.9"."""
        return format_decimal(value, format="0.0", locale=self._locale)

    def city(self, zone: str) -> str:
        """Return the place a zone is named for: "Europe/Berlin" is "Berlin"."""
        return get_timezone_location(get_zone(zone), locale=self._locale, return_city=True)

    def time(self, instant: datetime, zone: str) -> str:
        """Return the clock time of the instant in the zone: "19:00", for a place that names the zone."""
        return format_time(instant, "short", tzinfo=get_zone(zone), locale=self._locale)

    def short_day(self, on: date) -> str:
        """Return "Thu 3 Dec"."""
        return format_skeleton("MMMEd", on, locale=self._locale).replace(",", "")

    def moment(self, instant: datetime, zone: str) -> str:
        """Return "Thu 3 Dec 2026, 19:00", for a place that names the zone."""
        local = instant.astimezone(get_zone(zone))
        return f"{self.short_day(local.date())} {local.year}, {self.time(instant, zone)}"

    def span(self, starts_at: datetime, ends_at: datetime, zone: str) -> str:
        """Return "Thu 3 Dec 2026, 19:00–20:30", for a place that names the zone. An end on another day has its day."""
        first, last = (instant.astimezone(get_zone(zone)).date() for instant in (starts_at, ends_at))
        end = self.time(ends_at, zone) if last == first else f"{self.short_day(last)} {self.time(ends_at, zone)}"
        return f"{self.moment(starts_at, zone)}–{end}"

    def when(self, instant: datetime, zone: str) -> str:
        """Return "Thu 3 Dec 2026, 19:00 (Berlin, UTC+1)", with the difference for readers elsewhere."""
        return f"{self.moment(instant, zone)} ({self.place_of_clock(instant, zone)})"

    def between(self, starts_at: datetime, ends_at: datetime, zone: str) -> str:
        """Return "Thu 3 Dec 2026, 19:00–20:30 (Berlin, UTC+1)"."""
        return f"{self.span(starts_at, ends_at, zone)} ({self.place_of_clock(starts_at, zone)})"

    def zone_words(self, instant: datetime, zone: str) -> str:
        """Return "Tokyo time (JST)"; "São Paulo time (UTC-3)" where the zone has no letters of its own."""
        local, city = instant.astimezone(get_zone(zone)), self.city(zone)
        letters = local.tzname() or ""
        short = letters if letters.isalpha() else utc_difference(local)
        return short if city == short else f"{city} time ({short})"

    def place_of_clock(self, instant: datetime, zone: str) -> str:
        """Return "Berlin, UTC+1" in winter and "Berlin, UTC+2" in summer."""
        city, difference = self.city(zone), utc_difference(instant.astimezone(get_zone(zone)))
        return city if city == difference else f"{city}, {difference}"


def country_of(zone: str) -> str:
    """Return the country that a time zone is used in: "Europe/Oslo" is "NO"; empty for one of none, such as UTC."""
    code = str(get_global("zone_territories").get(zone, ""))
    return code if code in COUNTRIES else ""


def utc_difference(local: datetime) -> str:
    """Return how far the clock of an aware time is from UTC: "UTC+1", "UTC-3:30", "UTC"."""
    minutes = (local.utcoffset() or timedelta(0)) // _MINUTE
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"
