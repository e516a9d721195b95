"""The free times of a provider as a page shows them: a month, and the times of one of its days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from babel import Locale

from fairground.contracts.booking import SLOT_LIST_MAX_DAYS, Bookings, Slot
from fairground.contracts.providers import ProviderDetail, Service
from fairground.kernel.zones import get_zone
from fairground.web.addresses import read_date
from fairground.web.calendars import (
    Month,
    build_month,
    first_of_month,
    following_month,
    free_days,
    part_of_day,
)

LOOK_AHEAD: Final = timedelta(days=SLOT_LIST_MAX_DAYS - 1)  # both ends included


@dataclass(frozen=True, slots=True)
class FreeTime:
    starts_at: datetime
    ends_at: datetime
    href: str


@dataclass(frozen=True, slots=True)
class Times:
    service: Service
    zone: str
    month: Month
    chosen_day: date | None
    parts: list[list[FreeTime]]
    """The times of the chosen day: morning, afternoon and evening."""

    @property
    def has_free_days(self) -> bool:
        return any(day and day.href for week in self.month.weeks for day in week)

    @property
    def first(self) -> FreeTime | None:
        return next((time for part in self.parts for time in part), None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the address asks to be shown; a day that is not given is chosen for the reader."""

    month: date | None
    day: date | None


def read_wish(*, month: str, day: str) -> Wish:
    """Return the wish of "2026-12" and "2026-12-03"; what is no date is left out."""
    return Wish(month=read_date(f"{month}-01"), day=read_date(day))


async def load_times(
    bookings: Bookings,
    provider: ProviderDetail,
    *,
    service: Service,
    wish: Wish,
    now: datetime,
    horizon_days: int,
    locale: Locale,
) -> Times:
    """Return the wished month or day, or else the first day that has a free time."""
    today = now.astimezone(get_zone(provider.timezone)).date()
    last_day = today + timedelta(days=horizon_days)
    if not first_of_month(today) <= (wish.day or wish.month or today) <= last_day:
        # An old or a mistyped address; what it names was never on offer.
        wish = Wish(month=None, day=None)
    month, shown = await _month_of(bookings, provider, service=service, wish=wish, today=today)
    chosen = wish.day or _first_day(shown, zone=provider.timezone)
    page = f"/p/{provider.slug}"
    return Times(
        service=service,
        zone=provider.timezone,
        month=build_month(
            month,
            free=free_days((slot.starts_at for slot in shown), zone=provider.timezone),
            today=today,
            chosen=chosen,
            last_day=last_day,
            day_href=lambda on: f"{page}?{urlencode({'service': service.id, 'date': on})}#times",
            month_href=lambda on: f"{page}?{urlencode({'service': service.id, 'month': f'{on:%Y-%m}'})}#times",
            locale=locale,
        ),
        chosen_day=chosen,
        parts=_parts(shown, provider=provider, service=service, day=chosen),
    )


async def _month_of(
    bookings: Bookings, provider: ProviderDetail, *, service: Service, wish: Wish, today: date
) -> tuple[date, list[Slot]]:
    """Return the first day of the month to show, and the month's free times from today on."""
    wished, ahead = wish.day or wish.month, None
    if wished is None:
        ahead = await _slots(bookings, provider, service=service, start=today, end=today + LOOK_AHEAD)
        wished = _first_day(ahead, zone=provider.timezone) or today
    month = first_of_month(wished)
    month_ends = following_month(month) - timedelta(days=1)
    if ahead is not None and month_ends <= today + LOOK_AHEAD:
        return month, [slot for slot in ahead if _day(slot, provider.timezone) <= month_ends]
    return month, await _slots(bookings, provider, service=service, start=max(today, month), end=month_ends)


async def _slots(
    bookings: Bookings, provider: ProviderDetail, *, service: Service, start: date, end: date
) -> list[Slot]:
    found = await bookings.list_slots(provider_id=provider.id, from_date=start, to_date=end, service_id=service.id)
    return found.slots


def _parts(
    slots: Iterable[Slot], *, provider: ProviderDetail, service: Service, day: date | None
) -> list[list[FreeTime]]:
    parts: list[list[FreeTime]] = [[], [], []]
    for slot in slots:
        if _day(slot, provider.timezone) == day:
            starts_at = slot.starts_at.astimezone(UTC)
            query = urlencode({"service": service.id, "starts_at": f"{starts_at:%Y-%m-%dT%H:%M:%SZ}"})
            free = FreeTime(slot.starts_at, slot.ends_at, href=f"/book/{provider.slug}?{query}")
            parts[part_of_day(slot.starts_at, zone=provider.timezone)].append(free)
    return parts


def _day(slot: Slot, zone: str) -> date:
    return slot.starts_at.astimezone(get_zone(zone)).date()


def _first_day(slots: Iterable[Slot], *, zone: str) -> date | None:
    return min((_day(slot, zone) for slot in slots), default=None)
