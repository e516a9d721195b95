"""Which start of a day is still early enough to be booked, in every time zone at once."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Final

from fairground.kernel.zones import get_zone, zone_names
from fairground.verticals.schema import BookingRules, Vertical

ANY_START: Final = "0000"
NO_START: Final = "9999"
CLOSED: Final = "    "
"""The last start of a day without any; it sorts before every time."""
_MINUTE: Final = timedelta(minutes=1)
_FARTHEST_EAST: Final = timedelta(hours=14)
_FARTHEST_WEST: Final = timedelta(hours=12)


_OPENS_BESIDES: Final = 1 << 7


def open_days(last_starts: str, days: Mapping[date, str]) -> int:
    """Return a bit for each weekday that has a start in the week, and one more when a date has one that it has not.

    Args:
        last_starts: Of a week, as `WeekRow` has them.
    """
    bits = 0
    for weekday in range(7):
        if last_starts[4 * weekday : 4 * weekday + 4] != CLOSED:
            bits |= 1 << weekday
    if any(last_start != CLOSED and not bits & _weekday_bit(day) for day, last_start in days.items()):
        bits |= _OPENS_BESIDES
    return bits


def _weekday_bit(day: date) -> int:
    return 1 << day.weekday()


def as_text(last_start: time | None) -> str:
    return CLOSED if last_start is None else f"{last_start:%H%M}"


@dataclass(frozen=True)
class FirstStarts:
    """From which wall time of a date on a start is in time, such as `1730`: in most zones, and in the others."""

    usual: str
    zones: Mapping[str, str]
    """The wall times of the other zones, by their names."""

    @cached_property
    def zones_json(self) -> str:
        # Six hundred zones, the same for all who ask within a minute.
        return json.dumps(self.zones)

    @property
    def are_all(self) -> bool:
        """Whether every start of that date is in time, wherever it is."""
        return self.usual == ANY_START and not self.zones

    @property
    def are_none(self) -> bool:
        """Whether no start of that date is in time anywhere."""
        return self.usual == NO_START and not self.zones


@dataclass(frozen=True, kw_only=True)
class FreeOn:
    """A date, and what is in time on it in each vertical."""

    day: date
    first_starts: Mapping[str, FirstStarts]

    @property
    def are_all(self) -> bool:
        """Whether every start of the date is in time, wherever and in whichever vertical."""
        return all(starts.are_all for starts in self.first_starts.values())

    @property
    def weekday_bit(self) -> int:
        """The bit of `open_days` that providers have who are usually free then."""
        return _weekday_bit(self.day)

    @property
    def any_bit(self) -> int:
        """The bits of which providers have at least one who can be free then."""
        return self.weekday_bit | _OPENS_BESIDES


def free_on(day: date, *, packs: Iterable[Vertical], now: datetime) -> FreeOn:
    """Return what is in time by the notice and the horizon of the packs."""
    minute = now.replace(second=0, microsecond=0)
    minute += _MINUTE if now > minute else timedelta(0)
    return FreeOn(day=day, first_starts={pack.key: _first_starts(day, pack.booking, minute) for pack in packs})


@lru_cache(maxsize=64)
def _first_starts(day: date, rules: BookingRules, now: datetime) -> FirstStarts:
    earliest = now + timedelta(hours=rules.min_notice_hours)
    horizon = timedelta(days=rules.horizon_days)
    if (earliest + _FARTHEST_EAST).date() < day <= (now - _FARTHEST_WEST).date() + horizon:
        return FirstStarts(ANY_START, {})
    starts = {}
    for name in sorted(zone_names()):
        zone = get_zone(name)
        is_too_far = day > now.astimezone(zone).date() + horizon
        starts[name] = NO_START if is_too_far else _first_start(day, earliest.astimezone(zone))
    [(usual, _)] = Counter(starts.values()).most_common(1)
    return FirstStarts(usual, {zone: start for zone, start in starts.items() if start != usual})


def _first_start(day: date, earliest: datetime) -> str:
    if earliest.date() != day:
        return NO_START if earliest.date() > day else ANY_START
    return f"{earliest:%H%M}"
