"""Between what the clock on a wall shows and the instant it shows it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from fairground.contracts.booking import RulesInvalid

_SECOND = timedelta(seconds=1)


@cache
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None when there is none.

    The rules come from the package `tzdata`, which is pinned, and never from the machine: two servers, or a server and
    its tests, must not disagree on when a booking starts.
    """
    if name not in _names():
        return None
    file = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with file.open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def get_zone(name: str) -> ZoneInfo:
    zone = find_zone(name)
    if zone is None:
        raise RulesInvalid(f"There is no time zone {name!r}.", hint="Write an IANA name such as Europe/Oslo.")
    return zone


@cache
def _names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


def first_instant(wall: datetime, *, zone: ZoneInfo) -> datetime:
    """Return when the clock shows a time for the first time; one that it skips shifts forward to the end of the gap."""
    return _instant(wall, zone=zone, fold=0)


def last_instant(wall: datetime, *, zone: ZoneInfo) -> datetime:
    """Return when the clock shows a time for the last time; one that it skips shifts forward to the end of the gap."""
    return _instant(wall, zone=zone, fold=1)


def _instant(wall: datetime, *, zone: ZoneInfo, fold: int) -> datetime:
    by_old_offset = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    by_new_offset = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if by_new_offset < by_old_offset:  # only a time in a gap is later by its old offset (PEP 495)
        return _end_of_gap(wall, zone=zone, before=by_new_offset, after=by_old_offset)
    return by_new_offset if fold else by_old_offset


def _end_of_gap(wall: datetime, *, zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the instant of the jump between one before and one after it, to the second."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after
