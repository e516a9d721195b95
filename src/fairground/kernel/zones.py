"""The clock, and time zones, whose names and rules are those of the pinned package `tzdata`.

The clock gives times that are shown; SQL compares with the database's clock instead (`tx.now()`).

The rules of the machine are never read. Two servers, or a server and its tests, would otherwise disagree on when a
booking starts. `ZoneInfo` is therefore imported here only; the linter refuses it everywhere else. Other code takes a
zone from `get_zone` and annotates it as `datetime.tzinfo`.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, Protocol
from zoneinfo import ZoneInfo

_SECOND: Final = timedelta(seconds=1)


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@cache
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None if there is no such zone. An alias is the key of its zone."""
    if name not in zone_names():
        return None
    with _data("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def get_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name that was checked when it was stored.

    Raises:
        LookupError: There is no such zone.
    """
    zone = find_zone(name)
    if zone is None:
        raise LookupError(f"The package tzdata has no time zone {name!r}.")
    return zone


@cache
def zone_names() -> frozenset[str]:
    """Return every name that is accepted as a zone, aliases included."""
    return frozenset(_data("zones").read_text().split())


@cache
def selectable_zone_names() -> tuple[str, ...]:
    """Return UTC and the names that `zone.tab` gives for people to choose from, sorted; it lists no alias."""
    lines = _data("zoneinfo", "zone.tab").read_text().splitlines()
    return ("UTC", *sorted(line.split("\t")[2] for line in lines if line and not line.startswith("#")))


def _data(*path: str) -> Traversable:
    return resources.files("tzdata").joinpath(*path)


def first_instant(wall: datetime, *, zone: tzinfo) -> datetime:
    """Return the first instant in UTC at which clocks of the zone show a wall time.

    A wall time that the clocks skip becomes the instant of the jump.
    """
    return _instant(wall, zone=zone, fold=0)


def start_of_day(day: date, *, zone: tzinfo) -> datetime:
    """Return the first instant in UTC of a date of the zone."""
    return first_instant(datetime.combine(day, time.min), zone=zone)


def last_instant(wall: datetime, *, zone: tzinfo) -> datetime:
    """Return the last instant in UTC at which clocks of the zone show a wall time.

    A wall time that the clocks skip becomes the instant of the jump.
    """
    return _instant(wall, zone=zone, fold=1)


def _instant(wall: datetime, *, zone: tzinfo, fold: int) -> datetime:
    by_old_offset = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    by_new_offset = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if by_new_offset < by_old_offset:  # only a time in a gap is later by its old offset (PEP 495)
        return _end_of_gap(wall, zone=zone, before=by_new_offset, after=by_old_offset)
    return by_new_offset if fold else by_old_offset


def _end_of_gap(wall: datetime, *, zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """Find the instant of the jump between an instant before it and one after it, to the second."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after
