"""On which days a provider can be booked: a weekly pattern, and the dates that differ from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from fairground.contracts.booking.availability import AvailabilityRules, Slot
from fairground.kernel.zones import get_zone
from fairground.modules.booking.time.domain.slots import Interval, list_starts, without_busy

_DAY: Final = timedelta(days=1)
_A_MONDAY: Final = date(2024, 1, 1)


@dataclass(frozen=True, kw_only=True)
class OfferedStarts:
    """The starts of the provider's shortest service, which are those of any service."""

    rules: AvailabilityRules
    duration: timedelta
    step: timedelta

    def last_start(self, day: date, *, busy: Sequence[Interval] = ()) -> time | None:
        """Return the last free start of a date, on the clock of the zone."""
        instants = list_starts(self.rules, from_date=day, to_date=day, duration=self.duration, step=self.step)
        slots = [Slot(starts_at=start, ends_at=start + self.duration) for start in instants]
        free = without_busy(slots, busy)
        return free[-1].starts_at.astimezone(get_zone(self.rules.timezone)).time() if free else None


def weekly_pattern(starts: OfferedStarts) -> list[time | None]:
    """Return the last start of each weekday from Monday on, by the weekly hours alone."""
    # In UTC, where no day is longer or shorter than another.
    weekly = starts.rules.model_copy(update={"timezone": "UTC", "exceptions": []})
    usual = OfferedStarts(rules=weekly, duration=starts.duration, step=starts.step)
    return [usual.last_start(_A_MONDAY + number * _DAY) for number in range(7)]


def exceptional_days(
    starts: OfferedStarts, *, pattern: Sequence[time | None], busy: Sequence[Interval], now: datetime, horizon_days: int
) -> dict[date, time | None]:
    """Return the last start of those dates from today on that differ from the weekly pattern.

    Args:
        busy: The taken times from yesterday on, in order.
    """
    zone = get_zone(starts.rules.timezone)
    today = now.astimezone(zone).date()
    candidates = {
        *_around(exception.date for exception in starts.rules.exceptions),
        *(day for taken in busy for day in _touched(taken, starts)),
        *_around(_days_of_another_length(starts.rules, first=today, days=horizon_days)),
    }
    found = {day: starts.last_start(day, busy=busy) for day in sorted(candidates) if day >= today}
    return {day: last for day, last in found.items() if last != pattern[day.weekday()]}


def _around(days: Iterable[date]) -> Iterator[date]:
    """Yield the dates and their neighbours: hours that meet at midnight are one window."""
    for day in days:
        yield from (day - _DAY, day, day + _DAY)


def _touched(taken: Interval, starts: OfferedStarts) -> Iterator[date]:
    """Yield the dates on which something starts that would overlap."""
    zone = get_zone(starts.rules.timezone)
    day, last = ((moment).astimezone(zone).date() for moment in (taken[0] - starts.duration, taken[1]))
    while day <= last:
        yield day
        day += _DAY


def _days_of_another_length(rules: AvailabilityRules, *, first: date, days: int) -> Iterator[date]:
    zone = get_zone(rules.timezone)
    midnights = [datetime.combine(first + number * _DAY, time(), tzinfo=zone) for number in range(days + 2)]
    instants = [midnight.astimezone(UTC) for midnight in midnights]
    for midnight, start, end in zip(midnights, instants, instants[1:], strict=False):
        if end - start != _DAY:
            yield midnight.date()
