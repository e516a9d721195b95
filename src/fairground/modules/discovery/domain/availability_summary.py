"""What an availability summary says: on which days a provider opens, and which starts of a date are still in time."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Final

from fairground.kernel.zones import get_zone, zone_names
from fairground.verticals.schema import BookingRules, Vertical

ANY_START: Final = "0000"
TOO_SOON: Final = "9998"
TOO_FAR: Final = "9999"
"""First starts after every last start: of a date that is over before the notice is, and of one beyond the horizon."""
CLOSED: Final = "    "
"""The last start of a day without any; it sorts before every time."""
_OPENS_BESIDES: Final = 1 << 7
"""The bit beside those of the weekdays: some date has a start although its weekday has none."""
OWN_NOTICE: Final = 1 << 8
"""The bit of a provider with a notice of their own, for whom the first starts of a date are others."""
_MINUTE: Final = timedelta(minutes=1)
_MIDDAY_MINUTE: Final = 12 * 60
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_FARTHEST_EAST: Final = timedelta(hours=14)
_FARTHEST_WEST: Final = timedelta(hours=12)


def open_days(last_starts: str, days: Mapping[date, str], *, has_own_notice: bool = False) -> int:
    """Return a bit for each weekday with a start, and one more when a date has a start although its weekday has none.

    Args:
        last_starts: The weekly pattern, as `WeekRow` has it.
        days: The exceptional days.
        has_own_notice: Adds the bit `OWN_NOTICE`.
    """
    bits = OWN_NOTICE if has_own_notice else 0
    for weekday in range(7):
        if last_starts[4 * weekday : 4 * weekday + 4] != CLOSED:
            bits |= 1 << weekday
    if any(last_start != CLOSED and not bits & _weekday_bit(day) for day, last_start in days.items()):
        bits |= _OPENS_BESIDES
    return bits


def _weekday_bit(day: date) -> int:
    return 1 << day.weekday()


def last_start_text(last_start: time | None) -> str:
    return CLOSED if last_start is None else f"{last_start:%H%M}"


@dataclass(frozen=True)
class FirstStarts:
    """The first wall time of a date at which a start is in time, such as `1730`: in most zones, and in the others."""

    usual: str
    zones: Mapping[str, str]
    """The wall times of the other zones, by their names."""

    @cached_property
    def zones_json(self) -> str:
        # Six hundred zones, the same for all requests of a minute.
        return json.dumps(self.zones)

    @property
    def are_all(self) -> bool:
        """Whether every start of the date is in time, in every zone."""
        return self.usual == ANY_START and not self.zones

    @property
    def are_none(self) -> bool:
        """Whether no start of the date is in time, in any zone."""
        return self.usual in {TOO_SOON, TOO_FAR} and not self.zones

    @property
    def are_too_far(self) -> bool:
        """Whether the date is beyond the horizon in every zone."""
        return self.usual == TOO_FAR and not self.zones


@dataclass(frozen=True, kw_only=True)
class FreeOn:
    """A date on which providers must be free, and its first starts in each vertical."""

    day: date
    first_starts: Mapping[str, FirstStarts]
    now: datetime
    """The minute of the request, or the next one."""

    @property
    def has_passed(self) -> bool:
        """Whether the date is over in every zone."""
        return self.day < (self.now - _FARTHEST_WEST).date()

    @property
    def now_minutes(self) -> int:
        return _minutes(self.now)

    @property
    def midnights_json(self) -> str:
        """The date's midnight in each zone, in minutes as `now_minutes` counts them."""
        return _midnights_json(self.day)

    @property
    def are_all(self) -> bool:
        """Whether every start of the date is in time, in every zone and vertical."""
        return all(starts.are_all for starts in self.first_starts.values())

    @property
    def weekday_bit(self) -> int:
        """The bit of `open_days` of a provider that is usually open on this weekday."""
        return _weekday_bit(self.day)

    @property
    def any_bit(self) -> int:
        """The bits of `open_days`, of which a provider that can be free on the date has at least one."""
        return self.weekday_bit | _OPENS_BESIDES


def free_on(day: date, *, packs: Iterable[Vertical], now: datetime) -> FreeOn:
    """Return the first starts of the date by the notice and the horizon of the packs."""
    minute = now.replace(second=0, microsecond=0)
    minute += _MINUTE if now > minute else timedelta(0)
    first_starts = {pack.key: _first_starts(day, pack.booking, minute) for pack in packs}
    return FreeOn(day=day, first_starts=first_starts, now=minute)


@lru_cache(maxsize=64)
def _midnights_json(day: date) -> str:
    # From midday, because clocks change at night: wall times of nearly all of the day are as far from midday as they
    # say.
    midday = datetime.combine(day, time(12))
    return json.dumps(
        {name: _minutes(midday.replace(tzinfo=get_zone(name))) - _MIDDAY_MINUTE for name in sorted(zone_names())}
    )


def _minutes(instant: datetime) -> int:
    return (instant - _EPOCH) // _MINUTE


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
        starts[name] = TOO_FAR if is_too_far else _first_start(day, earliest.astimezone(zone))
    [(usual, _)] = Counter(starts.values()).most_common(1)
    return FirstStarts(usual, {zone: start for zone, start in starts.items() if start != usual})


def _first_start(day: date, earliest: datetime) -> str:
    if earliest.date() != day:
        return TOO_SOON if earliest.date() > day else ANY_START
    return f"{earliest:%H%M}"
