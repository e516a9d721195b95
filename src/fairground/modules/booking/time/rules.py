"""What opening hours must be like: apart from each other, in whole minutes, and new ones not on dates that passed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from fairground.contracts.booking.availability import (
    EXCEPTIONS_MAX,
    MIN_NOTICE_HOURS_MAX,
    REOPENED,
    TIME_OFF_MAX,
    TIME_OFF_NOTE_MAX_LENGTH,
    WEEKLY_HOURS_MAX,
    AvailabilityRules,
    DatedException,
    RulesInvalid,
    TimeOff,
    WeeklyHours,
)
from fairground.kernel import text as text_rules
from fairground.kernel.zones import find_zone

_DAY: Final = timedelta(days=1)
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class _Window(NamedTuple):
    """A time range in minutes from the start of its day, or of the week."""

    start: int
    end: int
    name: str
    """The day on which it starts."""
    field: str
    """Of the rules, such as `weekly.3`."""

    def moved(self, minutes: int) -> "_Window":
        return self._replace(start=self.start + minutes, end=self.end + minutes)


def check_rules(rules: AvailabilityRules) -> AvailabilityRules:
    """Return the rules as they are kept; raise RulesInvalid for the first thing that is wrong, naming its day.

    `context["field"]` names the item: `weekly.0`, `exceptions.0` or `time_off.0` for the first one.
    """
    if find_zone(rules.timezone) is None:
        raise RulesInvalid(f"Unknown time zone {rules.timezone!r}.", hint="Use an IANA name such as Europe/Oslo.")
    if len(rules.weekly) > WEEKLY_HOURS_MAX:
        raise RulesInvalid(f"{len(rules.weekly)} weekly hours are too many. The maximum is {WEEKLY_HOURS_MAX}.")
    if len(rules.exceptions) > EXCEPTIONS_MAX:
        raise RulesInvalid(f"{len(rules.exceptions)} special dates are too many. The maximum is {EXCEPTIONS_MAX}.")
    if len(rules.time_off) > TIME_OFF_MAX:
        raise RulesInvalid(f"{len(rules.time_off)} entries of time off are too many. The maximum is {TIME_OFF_MAX}.")
    _check_week(rules.weekly)
    _check_exceptions(rules)
    if not 0 <= (rules.min_notice_hours or 0) <= MIN_NOTICE_HOURS_MAX:
        raise RulesInvalid(
            f"The notice must be 0 to {MIN_NOTICE_HOURS_MAX} hours, not {rules.min_notice_hours}.",
            field="min_notice_hours",
        )
    return rules.model_copy(update={"time_off": _check_time_off(rules.time_off)})


def check_new_dates(rules: AvailabilityRules, *, before: AvailabilityRules, today: date) -> None:
    """Raise RulesInvalid for a date that has passed and was not among the rules before.

    Args:
        today: In the zone of the provider.
    """
    known = {exception.date for exception in before.exceptions}
    for number, exception in enumerate(rules.exceptions):
        if exception.date < today and exception.date not in known:
            raise RulesInvalid(
                f"{exception.date} is in the past.", hint="Choose today or a later date.", field=f"exceptions.{number}"
            )
    for number, time_off in enumerate(rules.time_off):
        if time_off.to_date < today and time_off not in before.time_off:
            raise RulesInvalid(
                f"Time off until {time_off.to_date} is in the past.",
                hint="Choose a last day from today on.",
                field=f"time_off.{number}",
            )
    until = rules.paused_until
    if until not in (None, REOPENED, before.paused_until) and isinstance(until, date) and until <= today:
        raise RulesInvalid(
            f"You can't pause bookings until {until}, because that date isn't in the future.",
            hint="Choose tomorrow or a later date.",
            field="paused_until",
        )


def _check_week(weekly: Sequence[WeeklyHours]) -> None:
    windows = []
    for number, hours in enumerate(weekly):
        field = f"weekly.{number}"
        if hours.weekday not in range(len(_DAYS)):
            raise RulesInvalid(f"The weekday must be 0 (Monday) to 6 (Sunday), not {hours.weekday}.", field=field)
        window = _window(hours.start, hours.end, name=_DAYS[hours.weekday], field=field)
        windows.append(window.moved(hours.weekday * _DAY_MINUTES))
    windows.sort()
    _check_apart(windows)
    if windows:
        # Sunday night runs into Monday.
        _check_apart([windows[-1], windows[0].moved(_WEEK_MINUTES)])


def _check_exceptions(rules: AvailabilityRules) -> None:
    by_date: dict[date, list[tuple[str, DatedException]]] = defaultdict(list)
    for number, exception in enumerate(rules.exceptions):
        by_date[exception.date].append((f"exceptions.{number}", exception))
    for day, those in by_date.items():
        _check_date(those, day=day.isoformat())
    special = {day for day, those in by_date.items() if any(exception.available for _, exception in those)}
    for day in sorted(special | {day + _DAY for day in special if day < date.max}):
        if day > date.min:
            _check_night(rules.weekly, by_date, day=day)


def _check_date(exceptions: Sequence[tuple[str, DatedException]], *, day: str) -> None:
    for field, exception in exceptions:
        if (exception.start is None) != (exception.end is None):
            raise RulesInvalid(f"The special date {day} needs both a start and an end time.", field=field)
        if exception.available and exception.start is None:
            raise RulesInvalid(f"The special date {day} needs a start and an end time.", field=field)
        if exception.start is None and len(exceptions) > 1:
            raise RulesInvalid(f"{day} is closed all day but also has hours.", field=field)
    for is_available in (True, False):
        _check_apart(sorted(_windows_of(exceptions, name=day, is_available=is_available)))


def _windows_of(exceptions: Iterable[tuple[str, DatedException]], *, name: str, is_available: bool) -> list[_Window]:
    return [
        _window(exception.start, exception.end, name=name, field=field)
        for field, exception in exceptions
        if exception.available is is_available and exception.start is not None and exception.end is not None
    ]


def _check_night(
    weekly: Sequence[WeeklyHours], by_date: dict[date, list[tuple[str, DatedException]]], *, day: date
) -> None:
    """Refuse hours of the day before that run into those of a date, where either are special."""

    def opened(on: date) -> list[_Window]:
        exceptions = by_date.get(on, [])
        if any(not exception.available and exception.start is None for _, exception in exceptions):
            return []
        special = _windows_of(exceptions, name=on.isoformat(), is_available=True)
        field = special[0].field if special else ""
        usual = [hours for hours in weekly if hours.weekday == on.weekday()]
        return special or [_window(hours.start, hours.end, name=on.isoformat(), field=field) for hours in usual]

    night, first = max(opened(day - _DAY), default=None), min(opened(day), default=None)
    if night is not None and first is not None:
        later = first.moved(_DAY_MINUTES)
        _check_apart([night, later._replace(field=later.field or night.field)])


def _window(start: time, end: time, *, name: str, field: str) -> _Window:
    """Return the minutes of a time range. One that does not end after its start ends on the next day."""
    for clock in (start, end):
        if clock.tzinfo is not None or clock.second or clock.microsecond:
            raise RulesInvalid(
                f"{clock} on {name} is not a valid time. Use hours and minutes, such as 09:30.", field=field
            )
    since, until = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    return _Window(since, until if until > since else until + _DAY_MINUTES, name, field)


def _check_apart(windows: Sequence[_Window]) -> None:
    for earlier, later in pairwise(windows):
        if later.start >= earlier.end:
            continue
        if earlier.name == later.name:
            raise RulesInvalid(
                f"Two time ranges on {later.name} overlap.", hint="Combine them into one.", field=later.field
            )
        raise RulesInvalid(
            f"The last time range on {earlier.name} runs past midnight and overlaps the first one on {later.name}.",
            hint="End one before the next starts.",
            field=later.field,
        )


def _check_time_off(entries: Sequence[TimeOff]) -> list[TimeOff]:
    """Return the entries in order, with clean notes; raise RulesInvalid for one that is out of order or overlaps."""
    numbered = sorted(enumerate(entries), key=lambda each: each[1].from_date)
    for number, entry in numbered:
        if entry.to_date < entry.from_date:
            raise RulesInvalid(
                f"Time off from {entry.from_date} ends before it starts, on {entry.to_date}.",
                hint="The last day can't be before the first day.",
                field=f"time_off.{number}",
            )
    for (_, earlier), (number, later) in pairwise(numbered):
        if later.from_date <= earlier.to_date:
            raise RulesInvalid(
                f"Time off from {later.from_date} to {later.to_date} overlaps time off from {earlier.from_date} to "
                f"{earlier.to_date}.",
                hint="Remove one of them, or choose other days.",
                field=f"time_off.{number}",
            )
    return [entry.model_copy(update={"note": _clean_note(entry, field=f"time_off.{n}")}) for n, entry in numbered]


def _clean_note(entry: TimeOff, *, field: str) -> str | None:
    with text_rules.refused_as(RulesInvalid, "The note", field=field):
        return text_rules.clean_text(" ".join((entry.note or "").split()), most=TIME_OFF_NOTE_MAX_LENGTH) or None
