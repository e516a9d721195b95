"""The availability of a service as a page shows it: a calendar of one month, and the slots of one of its days."""

import calendar
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from babel import Locale

from fairground.contracts.booking import SLOT_LIST_MAX_DAYS, Availability, Bookings, Slot
from fairground.contracts.providers import ProviderDetail, Service
from fairground.kernel.zones import get_zone
from fairground.web.booking_choices import BookingChoice

MORNING_ENDS_AT_HOUR: Final = 12
AFTERNOON_ENDS_AT_HOUR: Final = 17
PREVIEW_PATH: Final = "/pro/preview"
"""Where an owner sees the own page in any state."""
LOOK_AHEAD: Final = timedelta(days=SLOT_LIST_MAX_DAYS - 1)  # both ends included


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    free_count: int
    href: str
    """The page with the day's slots; empty when it has none."""
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
    choices: list[date]
    """The first days of all months that can be shown."""


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
    """Return a month whose days with slots are links.

    Args:
        free: The number of slots by date; dates without any may be missing.
        today: In the provider's zone, as are all dates here.
        last_day: The last month with a link is that of this day.
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
        weekdays=weekday_names(locale),
        previous=before,
        previous_href=month_href(before) if before >= first_of_month(today) else "",
        next=after,
        next_href=month_href(after) if after <= last_day else "",
        choices=_months(first_of_month(today), last_day),
    )


def _months(first: date, last: date) -> list[date]:
    months = [first]
    while (following := following_month(months[-1])) <= last:
        months.append(following)
    return months


def free_days(starts: Iterable[datetime], *, zone: str) -> dict[date, int]:
    """Return the number of starts on each date of the zone."""
    local = sorted(start.astimezone(get_zone(zone)).date() for start in starts)
    return {on: len(list(same)) for on, same in groupby(local)}


def part_of_day(start: datetime, *, zone: str) -> int:
    """Return 0 for the morning, 1 for the afternoon and 2 for the evening of the zone."""
    hour = start.astimezone(get_zone(zone)).hour
    return (hour >= MORNING_ENDS_AT_HOUR) + (hour >= AFTERNOON_ENDS_AT_HOUR)


def weekday_names(locale: Locale) -> list[tuple[str, str]]:
    names, short = locale.days["stand-alone"]["wide"], locale.days["stand-alone"]["short"]
    order = [(locale.first_week_day + offset) % 7 for offset in range(7)]
    return [(str(names[day]), str(short[day])) for day in order]


@dataclass(frozen=True, slots=True)
class SlotLink:
    starts_at: datetime
    ends_at: datetime
    href: str
    """Empty in a preview."""


@dataclass(frozen=True, slots=True)
class AvailabilityCalendar:
    service: Service
    zone: str
    month: Month
    chosen_day: date | None
    parts: list[list[SlotLink]]
    """The slots of the chosen day: of the morning, the afternoon and the evening."""
    is_paused: bool
    """Whether the provider takes no bookings at present."""
    paused_until: date | None

    @property
    def has_free_days(self) -> bool:
        return any(day and day.href for week in self.month.weeks for day in week)

    @property
    def first(self) -> SlotLink | None:
        return next((slot for part in self.parts for slot in part), None)


async def load_availability(
    bookings: Bookings,
    provider: ProviderDetail,
    *,
    choice: BookingChoice,
    month: date | None,
    day: date | None,
    now: datetime,
    horizon_days: int,
    locale: Locale,
    owner_id: UUID | None = None,
) -> AvailabilityCalendar:
    """Return the calendar of the day, of the month, or of the first day with a slot.

    Args:
        owner_id: The owner who previews the page, whatever its state; nothing in the preview leads to a booking.
        month: Any day of the month to show. `day` comes first.
        day: The day to show. A date outside the horizon counts as not given.
    """
    today = now.astimezone(get_zone(provider.timezone)).date()
    last_day = today + timedelta(days=horizon_days)
    if not first_of_month(today) <= (day or month or today) <= last_day:
        # The address is old or mistyped.
        month = day = None
    starts = Starts(bookings=bookings, provider=provider, choice=choice, owner_id=owner_id)
    first_day, found = await _list_month(starts, around=day or month, today=today, last_day=last_day)
    slots = found.slots
    chosen = day or _first_day(slots, zone=provider.timezone)
    page = PREVIEW_PATH if owner_id else f"/p/{provider.slug}"
    return AvailabilityCalendar(
        service=choice.service,
        zone=provider.timezone,
        month=build_month(
            first_day,
            free=free_days((slot.starts_at for slot in slots), zone=provider.timezone),
            today=today,
            chosen=chosen,
            last_day=last_day,
            day_href=lambda on: f"{page}?{urlencode({**choice.query, 'date': on})}#times",
            month_href=lambda on: f"{page}?{urlencode({**choice.query, 'month': f'{on:%Y-%m}'})}#times",
            locale=locale,
        ),
        chosen_day=chosen,
        parts=_parts(slots, provider=provider, choice=choice, day=chosen, is_bookable=owner_id is None),
        is_paused=found.is_paused,
        paused_until=found.paused_until,
    )


@dataclass(frozen=True, slots=True)
class Starts:
    """The free starts of a service, as the public sees them or as their owner does."""

    bookings: Bookings
    provider: ProviderDetail
    choice: BookingChoice
    owner_id: UUID | None

    async def between(self, start: date, end: date) -> Availability:
        return await self.bookings.list_slots(
            provider_id=self.provider.id,
            from_date=start,
            to_date=end,
            service_id=self.choice.service.id,
            duration_minutes=self.choice.minutes,
            viewer_id=self.owner_id,
        )


async def _list_month(starts: Starts, *, around: date | None, today: date, last_day: date) -> tuple[date, Availability]:
    """Return the first day of the month around a date, and what is free in that month from today on.

    Args:
        around: None for the first month that has a slot.
    """
    ahead, start, zone = None, today, starts.provider.timezone
    while around is None and start <= last_day:
        ahead = await starts.between(start, start + LOOK_AHEAD)
        around = _first_day(ahead.slots, zone=zone)
        if around is None and not ahead.is_paused:
            start += LOOK_AHEAD + timedelta(days=1)
        else:
            break
    month = first_of_month(around or today)
    month_ends = following_month(month) - timedelta(days=1)
    if ahead is not None and start <= max(today, month) and month_ends <= start + LOOK_AHEAD:
        shown = [slot for slot in ahead.slots if _day(slot, zone) <= month_ends]
        return month, ahead.model_copy(update={"slots": shown})
    return month, await starts.between(max(today, month), month_ends)


def _parts(
    slots: Iterable[Slot], *, provider: ProviderDetail, choice: BookingChoice, day: date | None, is_bookable: bool
) -> list[list[SlotLink]]:
    parts: list[list[SlotLink]] = [[], [], []]
    for slot in slots:
        if _day(slot, provider.timezone) == day:
            starts_at = slot.starts_at.astimezone(UTC)
            query = urlencode({**choice.query, "starts_at": f"{starts_at:%Y-%m-%dT%H:%M:%SZ}"})
            href = f"/book/{provider.slug}?{query}" if is_bookable else ""
            link = SlotLink(slot.starts_at, slot.ends_at, href=href)
            parts[part_of_day(slot.starts_at, zone=provider.timezone)].append(link)
    return parts


def _day(slot: Slot, zone: str) -> date:
    return slot.starts_at.astimezone(get_zone(zone)).date()


def _first_day(slots: Iterable[Slot], *, zone: str) -> date | None:
    return min((_day(slot, zone) for slot in slots), default=None)
