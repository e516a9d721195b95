"""Which start of a day is still early enough to be booked, in every time zone at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from fairground.verticals.schema import BookingRules, Vertical

ANY_START: Final = "0000"
NO_START: Final = "9999"
CLOSED: Final = "    "
"""The last start of a day without any; it sorts before every time."""
_MINUTE: Final = timedelta(minutes=1)
_FARTHEST_EAST: Final = timedelta(hours=14)
_FARTHEST_WEST: Final = timedelta(hours=12)


def as_text(last_start: time | None) -> str:
    return CLOSED if last_start is None else f"{last_start:%H%M}"


@dataclass(frozen=True)
class FirstStarts:
    """From which wall time of a date on a start is in time, such as `1730`: in most zones, and in the others."""

    usual: str
    zones: Mapping[str, Sequence[str]]
    """The other zones by their wall times."""


@dataclass(frozen=True, kw_only=True)
class FreeOn:
    """A date, and what is in time on it in each vertical."""

    day: date
    first_starts: Mapping[str, FirstStarts]


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
    zones = defaultdict(list)
    for zone in _zones():
        is_too_far = day > now.astimezone(zone).date() + horizon
        zones[NO_START if is_too_far else _first_start(day, earliest.astimezone(zone))].append(zone.key)
    usual = max(zones, key=lambda start: len(zones[start]))
    return FirstStarts(usual, {start: keys for start, keys in zones.items() if start != usual})


def _first_start(day: date, earliest: datetime) -> str:
    if earliest.date() != day:
        return NO_START if earliest.date() > day else ANY_START
    return f"{earliest:%H%M}"


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted(available_timezones()))
