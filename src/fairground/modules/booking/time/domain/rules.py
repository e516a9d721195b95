"""What opening hours a provider may set."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, time
from itertools import pairwise
from typing import Final

from fairground.contracts.booking.availability import (
    EXCEPTIONS_MAX,
    WEEKLY_HOURS_MAX,
    AvailabilityRules,
    DatedException,
    RulesInvalid,
)
from fairground.kernel.zones import find_zone

_MIDNIGHT_MINUTE: Final = 24 * 60
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Minutes = tuple[int, int]


def check_rules(rules: AvailabilityRules) -> None:
    """Raise RulesInvalid for the first thing that is wrong, naming its day."""
    if find_zone(rules.timezone) is None:
        raise RulesInvalid(f"There is no time zone {rules.timezone!r}.", hint="Write an IANA name such as Europe/Oslo.")
    if len(rules.weekly) > WEEKLY_HOURS_MAX:
        raise RulesInvalid(f"{len(rules.weekly)} weekly hours are too many; at most {WEEKLY_HOURS_MAX}.")
    if len(rules.exceptions) > EXCEPTIONS_MAX:
        raise RulesInvalid(f"{len(rules.exceptions)} exceptions are too many; at most {EXCEPTIONS_MAX}.")
    weekly: dict[int, list[Minutes]] = defaultdict(list)
    for hours in rules.weekly:
        if hours.weekday not in range(len(_DAYS)):
            raise RulesInvalid(f"The weekday {hours.weekday} is not one of 0 (Monday) to 6 (Sunday).")
        weekly[hours.weekday].append(_minutes(hours.start, hours.end, day=_DAYS[hours.weekday]))
    for weekday, windows in weekly.items():
        _check_apart(windows, day=_DAYS[weekday])
    _check_exceptions(rules.exceptions)


def _check_exceptions(exceptions: Iterable[DatedException]) -> None:
    by_date: dict[date, list[DatedException]] = defaultdict(list)
    for exception in exceptions:
        by_date[exception.date].append(exception)
    for day, those in by_date.items():
        _check_day(those, day=day.isoformat())


def _check_day(exceptions: list[DatedException], *, day: str) -> None:
    for exception in exceptions:
        if (exception.start is None) != (exception.end is None):
            raise RulesInvalid(f"An exception on {day} has only one of start and end.")
        if exception.available and exception.start is None:
            raise RulesInvalid(f"An exception on {day} is available without saying when.")
        if exception.start is None and len(exceptions) > 1:
            raise RulesInvalid(f"{day} is closed all day and has other exceptions besides.")
    for is_available in (True, False):
        windows = [
            _minutes(exception.start, exception.end, day=day)
            for exception in exceptions
            if exception.available is is_available and exception.start is not None and exception.end is not None
        ]
        _check_apart(windows, day=day)


def _minutes(start: time, end: time, *, day: str) -> Minutes:
    """Return the minutes of the day between which it is open; the end 00:00 is the midnight that ends the day."""
    for clock in (start, end):
        if clock.tzinfo is not None or clock.second or clock.microsecond:
            raise RulesInvalid(f"{clock} on {day} is not a wall time in whole minutes, such as 09:30.")
    since = start.hour * 60 + start.minute
    until = end.hour * 60 + end.minute or _MIDNIGHT_MINUTE
    if since >= until:
        raise RulesInvalid(
            f"The hours {start:%H:%M} to {end:%H:%M} on {day} are empty or cross midnight.",
            hint="Write hours that cross midnight as two: until 00:00, and from 00:00 on the next day.",
        )
    return since, until


def _check_apart(windows: list[Minutes], *, day: str) -> None:
    for (_, earlier_end), (later_start, _) in pairwise(sorted(windows)):
        if later_start < earlier_end:
            raise RulesInvalid(f"Two windows on {day} overlap.", hint="Make one of them.")
