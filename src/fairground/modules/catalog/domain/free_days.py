"""Which start of a day is still early enough to be booked, in every time zone at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from fairground.verticals.schema import Vertical

ANY_START: Final = "0000"
NO_START: Final = "9999"
CLOSED: Final = "    "
"""The last start of a day without any; it sorts before every time."""
_FARTHEST_EAST: Final = timedelta(hours=14)
_FARTHEST_WEST: Final = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class FreeOn:
    """A date, and from which wall time on a start would still be in time."""

    day: date
    first_starts: Mapping[str, Mapping[str, list[str]]]
    """By vertical: wall times such as `1730`, each with the zones for which it holds; the others take ANY_START."""


def free_on(day: date, *, packs: Iterable[Vertical], now: datetime) -> FreeOn:
    return FreeOn(day=day, first_starts={pack.key: _first_starts(day, pack=pack, now=now) for pack in packs})


def _first_starts(day: date, *, pack: Vertical, now: datetime) -> dict[str, list[str]]:
    earliest = now + timedelta(hours=pack.booking.min_notice_hours)
    horizon = timedelta(days=pack.booking.horizon_days)
    if (earliest + _FARTHEST_EAST).date() < day <= (now - _FARTHEST_WEST).date() + horizon:
        return {}
    zones = defaultdict(list)
    for zone in _zones():
        is_too_far = day > now.astimezone(zone).date() + horizon
        zones[NO_START if is_too_far else _first_start(day, earliest.astimezone(zone))].append(zone.key)
    zones.pop(ANY_START, None)
    return zones


def _first_start(day: date, earliest: datetime) -> str:
    to_the_minute = (earliest + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)
    if to_the_minute.date() != day:
        return NO_START if to_the_minute.date() > day else ANY_START
    return f"{to_the_minute:%H%M}"


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted(available_timezones()))
