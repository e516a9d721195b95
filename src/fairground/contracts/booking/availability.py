"""When a provider can be booked: hours, slots, and what follows from their changes."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Event, Priority, Queue

SLOT_LIST_MAX_DAYS: Final = 62
WEEKLY_HOURS_MAX: Final = 7 * 24
EXCEPTIONS_MAX: Final = 366
TIME_OFF_MAX: Final = 366
TIME_OFF_NOTE_MAX_LENGTH: Final = 200
MIN_NOTICE_HOURS_MAX: Final = 720
REOPENED: Final = "reopened"

_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d(:00)?"
# The format "time" of JSON Schema is RFC 3339's, which asks for an offset, and a clock on a wall has none.
WallTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["09:30"]})]
ClosingTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK}|24:00(:00)?)$", "examples": ["17:00", "00:00"]})
]


class RulesInvalid(Invalid):
    code = "booking.rules_invalid"


class Slot(DTO):
    starts_at: datetime
    ends_at: datetime


class Availability(DTO):
    timezone: str
    slots: list[Slot]
    is_paused: bool = False
    """Whether the provider takes no bookings at present."""
    paused_until: date | None = None
    """The first day on which bookings are taken again, where the provider has named one."""


class WeeklyHours(DTO):
    """Opening hours that start on one weekday (Monday is 0), in the provider's wall time.

    An end that is not after the start is on the next day: 18:00 to 02:00 are eight hours, 09:00 to 09:00 are 24.
    """

    weekday: int
    start: WallTime
    end: ClosingTime


class DatedException(DTO):
    """Other hours on one date.

    Available with times: these instead of the weekly ones (several add up). Unavailable with times: these are taken
    out. Unavailable without times: closed all day. An end that is not after the start is on the next day.
    """

    date: date
    available: bool
    start: WallTime | None = None
    end: ClosingTime | None = None


class TimeOff(DTO):
    """Days off, both included. No hours start on them, and none of an earlier day reaches into them."""

    from_date: date
    to_date: date
    note: str | None = None
    """For the provider alone; at most TIME_OFF_NOTE_MAX_LENGTH."""


PausedUntil = date | Literal["reopened"]
"""The first day on which bookings are taken again, or REOPENED: the provider will say when."""


class AvailabilityRules(DTO):
    timezone: str
    weekly: list[WeeklyHours]
    exceptions: list[DatedException] = Field(default_factory=list)
    time_off: list[TimeOff] = Field(default_factory=list)
    """In order, and apart from each other."""
    min_notice_hours: int | None = None
    """Hours from booking to the earliest start; None for those of the vertical."""
    paused_until: PausedUntil | None = None
    """While bookings are paused nothing is offered, on any date. None while they are not."""

    def find_time_off(self, day: date) -> TimeOff | None:
        return next((each for each in self.time_off if each.from_date <= day <= each.to_date), None)

    def is_closed_on(self, day: date) -> bool:
        """Return whether the date is off, or closed all day."""
        closed = (each.date == day and not each.available and each.start is None for each in self.exceptions)
        return any(closed) or self.find_time_off(day) is not None

    def hours_on(self, day: date) -> list[tuple[time, time]]:
        """Return the hours that start on a date: the special ones, or else the weekly ones; none when it is closed."""
        if self.is_closed_on(day):
            return []
        exceptions = [each for each in self.exceptions if each.date == day and each.available]
        hours: Sequence[DatedException | WeeklyHours] = exceptions or [
            each for each in self.weekly if each.weekday == day.weekday()
        ]
        return [(each.start, each.end) for each in hours if each.start is not None and each.end is not None]

    def breaks_on(self, day: date) -> list[tuple[time, time]]:
        """Return the hours that are taken out on a date."""
        return [
            (each.start, each.end)
            for each in self.exceptions
            if each.date == day and not each.available and each.start is not None and each.end is not None
        ]


class RulesChanges(DTO):
    """The fields to change; a field that is not set stays as it is."""

    timezone: str = ""
    """Of the hours; where it is set, it must be the provider's."""
    weekly: list[WeeklyHours] = Field(default_factory=list)
    exceptions: list[DatedException] = Field(default_factory=list)
    time_off: list[TimeOff] = Field(default_factory=list)
    min_notice_hours: int | None = None
    paused_until: PausedUntil | None = None


class AvailabilityRulesSet(Event):
    """The provider's hours were replaced. The version only grows, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.availability_rules_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH  # lists of a date follow it within seconds
    provider_id: UUID
    has_hours: bool
    """Whether any weekly hours are left."""
    version: int


class FirstHoursSet(Event):
    """Up to 500 providers who had no hours got some by one call. The version is that of `AvailabilityRulesSet`."""

    topic: ClassVar = "booking.first_hours_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    has_hours: dict[UUID, bool]
    """By provider, whether there are any weekly hours."""
    version: int


class AvailabilitySummarySet(Event):
    """On which days a provider can still be booked, whole and with a version that only grows.

    A day is described by its last start in the zone's wall time, or by None when it has none. A booking needs notice
    and a horizon besides, which are the vertical's unless the provider has a notice of their own. A provider who has
    paused bookings has no starts.
    """

    topic: ClassVar = "booking.free_days_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID
    version: int
    timezone: str
    week: list[time | None]
    """The weekly pattern: from Monday to Sunday, as long as nothing is booked."""
    days: dict[date, time | None]
    """The exceptional days: dates from today on that differ from the weekly pattern."""
    min_notice_hours: int | None = None
    """The provider's own notice; None for the vertical's."""


# Tags of cached responses. Booking invalidates them.

_LONGEST: Final = timedelta(hours=24)  # of a service: a start so long before a booking still runs into it
_WESTMOST, _EASTMOST = timedelta(hours=-12), timedelta(hours=14)


def hours_tag(provider: UUID | str) -> str:
    """Name all free times of a provider, by its id or by its slug."""
    return f"availability:{provider}"


def calendar_tag(provider: UUID | str) -> str:
    """Name every response that shows a provider's taken times, on any day."""
    return f"availability:{provider}:any"


def day_tags(provider: UUID | str, *, first: date, last: date) -> tuple[str, ...]:
    """Name the free times of a provider on each day, both included, as the provider's calendar has them."""
    days = range((last - first).days + 1)
    return tuple(f"{hours_tag(provider)}:{first + timedelta(days=number)}" for number in days)


def tags_of_time(provider: UUID | str, *, starts_at: datetime, ends_at: datetime) -> tuple[str, ...]:
    """Name what a taken time changes: in any zone, the days on which less can be chosen."""
    first = (starts_at - _LONGEST + _WESTMOST).date()
    return calendar_tag(provider), *day_tags(provider, first=first, last=(ends_at + _EASTMOST).date())
