"""A provider's calendar as a page shows it: the days of a week or a month, with their bookings, hours and days off."""

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

from babel import Locale

from fairground.contracts.booking import AvailabilityRules, Booking
from fairground.kernel.zones import get_zone
from fairground.web.availability_calendar import following_month, preceding_month, weekday_names


class CalendarView(StrEnum):
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class CalendarDay:
    on: date
    is_today: bool
    is_past: bool
    is_other_month: bool
    """Whether it only fills a week of the month that is shown."""
    is_off: bool
    off_note: str
    hours: list[tuple[time, time]]
    """The hours that start on the date; none on a day off."""
    breaks: list[tuple[time, time]]
    bookings: list[Booking]
    """Those that start on it, and those that go on from the day before."""


@dataclass(frozen=True, slots=True)
class BookingCalendar:
    view: CalendarView
    zone: str
    shown: date
    """The day that was asked for."""
    weeks: list[list[CalendarDay]]
    weekdays: list[tuple[str, str]]
    """The names of the days, long and short, in the order of the locale's week."""
    previous: date
    next: date

    @property
    def first(self) -> date:
        return self.weeks[0][0].on

    @property
    def last(self) -> date:
        return self.weeks[-1][-1].on

    @property
    def count(self) -> int:
        return len({booking.id for week in self.weeks for day in week for booking in day.bookings})


def days_of(view: CalendarView, shown: date, *, locale: Locale) -> list[list[date]]:
    """Return the weeks to show: the one of the day, or all that have a day of its month."""
    weeks = calendar.Calendar(locale.first_week_day).monthdatescalendar(shown.year, shown.month)
    return weeks if view is CalendarView.MONTH else [week for week in weeks if shown in week]


def build_calendar(
    view: CalendarView,
    *,
    shown: date,
    today: date,
    rules: AvailabilityRules,
    bookings: Iterable[Booking],
    locale: Locale,
) -> BookingCalendar:
    """Return the calendar of the week or month of a day; dates and times are of the zone of the rules."""
    by_day: dict[date, list[Booking]] = defaultdict(list)
    for booking in bookings:
        for on in _days_of_booking(booking, zone=rules.timezone):
            by_day[on].append(booking)

    def place(on: date) -> CalendarDay:
        off = rules.find_time_off(on)
        return CalendarDay(
            on=on,
            is_today=on == today,
            is_past=on < today,
            is_other_month=view is CalendarView.MONTH and on.month != shown.month,
            is_off=off is not None,
            off_note=(off.note or "") if off else "",
            hours=sorted(rules.hours_on(on)),
            breaks=sorted(rules.breaks_on(on)),
            bookings=by_day[on],
        )

    is_month = view is CalendarView.MONTH
    week = timedelta(days=7)
    return BookingCalendar(
        view=view,
        zone=rules.timezone,
        shown=shown,
        weeks=[[place(on) for on in days] for days in days_of(view, shown, locale=locale)],
        weekdays=weekday_names(locale),
        previous=preceding_month(shown) if is_month else shown - week,
        next=following_month(shown) if is_month else shown + week,
    )


def _days_of_booking(booking: Booking, *, zone: str) -> list[date]:
    local = get_zone(zone)
    first = booking.starts_at.astimezone(local).date()
    last = (booking.ends_at - timedelta(microseconds=1)).astimezone(local).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
