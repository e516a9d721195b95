"""When a provider can be booked."""

from datetime import date, datetime, time
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from fairground.contracts.dto import DTO

_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d(:00)?"
# The format "time" of JSON Schema is RFC 3339's, which asks for an offset, and a clock on a wall has none.
WallTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["09:30"]})]
ClosingTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK}|24:00(:00)?)$", "examples": ["17:00", "00:00"]})
]


class Slot(DTO):
    starts_at: datetime
    ends_at: datetime


class Availability(DTO):
    timezone: str
    slots: list[Slot]


class WeeklyHours(DTO):
    """Opening hours of one weekday (Monday is 0) in the provider's wall time. `end` 00:00 means midnight."""

    weekday: int
    start: WallTime
    end: ClosingTime


class DatedException(DTO):
    """Other hours on one date.

    Available with times: these instead of the weekly ones (several add up). Unavailable with times: these are taken
    out. Unavailable without times: closed all day.
    """

    date: date
    available: bool
    start: WallTime | None = None
    end: ClosingTime | None = None


class AvailabilityRules(DTO):
    timezone: str
    weekly: list[WeeklyHours]
    exceptions: list[DatedException] = Field(default_factory=list)
