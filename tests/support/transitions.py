"""Forty zones, and when their clocks change next."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Final

from fairground.kernel.zones import get_zone

FROM: Final = datetime(2026, 12, 1, tzinfo=UTC)
PER_ZONE: Final = 4
_LOOK_AHEAD_DAYS: Final = 5 * 366
_STEP: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)

# Zones with another rule, offset, or history each; those that have no transition ahead count with made-up moments.
ZONES: Final = tuple(
    """
    Africa/Cairo Africa/Casablanca Africa/El_Aaiun America/Asuncion America/Bogota America/Caracas America/Chicago
    America/Denver America/Godthab America/Halifax America/Havana America/Los_Angeles America/Mexico_City
    America/Miquelon America/New_York America/Nuuk America/Santiago America/Sao_Paulo America/St_Johns America/Vancouver
    Antarctica/Troll Asia/Almaty Asia/Beirut Asia/Gaza Asia/Jerusalem Asia/Kathmandu Asia/Kolkata Asia/Tehran
    Asia/Tokyo Atlantic/Azores Australia/Adelaide Australia/Lord_Howe Australia/Sydney Europe/Chisinau Europe/Dublin
    Europe/Kyiv Europe/London Europe/Oslo Pacific/Auckland Pacific/Chatham
    """.split()
)


@cache
def next_transitions(name: str) -> tuple[datetime, ...]:
    """Return the next four instants at which the clocks of a zone jump; the first of a month where they do not."""
    zone, found = get_zone(name), []
    for number in range(_LOOK_AHEAD_DAYS):
        before = FROM + number * _STEP
        if _offset(before, zone) != _offset(before + _STEP, zone):
            found.append(_jump(before, before + _STEP, name))
            if len(found) == PER_ZONE:
                return tuple(found)
    firsts = (datetime(2027, month, 1, 7, tzinfo=UTC) for month in (1, 4, 7, 10))
    return (*found, *list(firsts)[: PER_ZONE - len(found)])


def _jump(before: datetime, after: datetime, name: str) -> datetime:
    zone = get_zone(name)
    offset = _offset(before, zone)
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
