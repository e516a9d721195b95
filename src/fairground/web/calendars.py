"""A month of days as a page shows it: which days have free times, and where each one leads."""

import calendar
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from babel import Locale

from fairground.kernel.zones import get_zone

MORNING_ENDS_AT_HOUR: Final = 12
AFTERNOON_ENDS_AT_HOUR: Final = 17


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    free_count: int
    href: str
    """Where the day's times are shown; empty when it has none."""
    is_chosen: bool
    is_today: bool
    is_past: bool


@dataclass(frozen=True, slots=True)
class Month:
    first_day: date
    weeks: list[list[Day | None]]
    """Seven places each; None where the week reaches into another month."""
    weekdays: list[tuple[str, str]]
    """The names of the days, long and short, in the order of the locale's week."""
    previous: date
    previous_href: str
    next: date
    next_href: str


def first_of_month(on: date) -> date:
    return on.replace(day=1)


def following_month(on: date) -> date:
    return (first_of_month(on) + timedelta(days=31)).replace(day=1)


def preceding_month(on: date) -> date:
    return (first_of_month(on) - timedelta(days=1)).replace(day=1)


def build_month(
    first_day: date,
    *,
    free: Mapping[date, int],
    today: date,
    chosen: date | None,
    last_day: date,
    day_href: Callable[[date], str],
    month_href: Callable[[date], str],
    locale: Locale,
) -> Month:
    """Lay the free days of a month out in weeks.

    Args:
        free: How many times are free on a date; dates without any may be missing.
        today: In the provider's zone, as are all dates here.
        last_day: Beyond its month there is nothing to book, so there is no way on.
    """
    weeks = calendar.Calendar(locale.first_week_day).monthdatescalendar(first_day.year, first_day.month)

    def place(on: date) -> Day | None:
        if on.month != first_day.month:
            return None
        count = free.get(on, 0)
        return Day(
            on=on,
            free_count=count,
            href=day_href(on) if count else "",
            is_chosen=on == chosen,
            is_today=on == today,
            is_past=on < today,
        )

    before, after = preceding_month(first_day), following_month(first_day)
    return Month(
        first_day=first_day,
        weeks=[[place(on) for on in week] for week in weeks],
        weekdays=_weekday_names(locale),
        previous=before,
        previous_href=month_href(before) if before >= first_of_month(today) else "",
        next=after,
        next_href=month_href(after) if after <= last_day else "",
    )


def free_days(starts: Iterable[datetime], *, zone: str) -> dict[date, int]:
    """Return how many of the starts fall on each date of the zone."""
    local = sorted(start.astimezone(get_zone(zone)).date() for start in starts)
    return {on: len(list(same)) for on, same in groupby(local)}


def part_of_day(start: datetime, *, zone: str) -> int:
    """Return 0 for the morning, 1 for the afternoon and 2 for the evening of the zone."""
    hour = start.astimezone(get_zone(zone)).hour
    return (hour >= MORNING_ENDS_AT_HOUR) + (hour >= AFTERNOON_ENDS_AT_HOUR)


def _weekday_names(locale: Locale) -> list[tuple[str, str]]:
    names, short = locale.days["stand-alone"]["wide"], locale.days["stand-alone"]["short"]
    order = [(locale.first_week_day + offset) % 7 for offset in range(7)]
    return [(str(names[day]), str(short[day])) for day in order]
