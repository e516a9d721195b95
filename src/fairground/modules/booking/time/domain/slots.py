"""Which times are offered: opening hours become instants at their edges, and are stepped through in elapsed time.

Stepping through wall-clock times instead gives wrong lengths and times that do not exist on nearly every day on which
a zone changes its offset (ARCHITECTURE §5.4).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from fairground.contracts.booking.availability import AvailabilityRules, DatedException, Slot, WeeklyHours
from fairground.kernel.zones import first_instant, get_zone, last_instant
from fairground.verticals.schema import BookingRules

Interval = tuple[datetime, datetime]

_DAY: Final = timedelta(days=1)
# A window of the day before can reach into a day whose midnight is shown twice; one of a later day can be run into.
_DAYS_BEFORE: Final = 1
_DAYS_AFTER: Final = 2


def list_offered(
    rules: AvailabilityRules,
    *,
    from_date: date,
    to_date: date,
    duration: timedelta,
    booking: BookingRules,
    now: datetime,
) -> list[Slot]:
    """Return the starts that the rules alone offer on the provider-local dates, both included, in order."""
    zone = get_zone(rules.timezone)
    earliest = now + timedelta(hours=booking.min_notice_hours)
    last_date = min(to_date, now.astimezone(zone).date() + timedelta(days=booking.horizon_days))
    first_date = max(from_date, earliest.astimezone(zone).date())
    if first_date > last_date:
        return []
    starts = list_starts(
        rules,
        from_date=first_date,
        to_date=last_date,
        duration=duration,
        step=timedelta(minutes=booking.slot_minutes),
    )
    return [Slot(starts_at=start, ends_at=start + duration) for start in starts if start >= earliest]


def list_starts(
    rules: AvailabilityRules, *, from_date: date, to_date: date, duration: timedelta, step: timedelta
) -> list[datetime]:
    """Return the starts of the provider-local dates, both included, in order, whether or not they are in time."""
    zone = get_zone(rules.timezone)
    windows = open_windows(rules, zone=zone, days=_days(from_date - _DAYS_BEFORE * _DAY, to_date + _DAYS_AFTER * _DAY))
    starts = _starts(windows, duration=duration, step=step)
    return [start for start in starts if from_date <= start.astimezone(zone).date() <= to_date]


def is_offered(
    rules: AvailabilityRules, *, starts_at: datetime, duration: timedelta, booking: BookingRules, now: datetime
) -> bool:
    """Return whether the rules alone offer this start; it may be taken all the same."""
    if not now <= starts_at <= now + timedelta(days=booking.horizon_days + 1):
        return False
    day = starts_at.astimezone(get_zone(rules.timezone)).date()
    slots = list_offered(rules, from_date=day, to_date=day, duration=duration, booking=booking, now=now)
    return any(slot.starts_at == starts_at for slot in slots)


def without_busy(slots: Iterable[Slot], busy: Sequence[Interval]) -> list[Slot]:
    """Return the slots that no busy interval overlaps. Both are in order, and the busy ones are disjoint."""
    free, passed = [], 0
    for slot in slots:
        while passed < len(busy) and busy[passed][1] <= slot.starts_at:
            passed += 1
        if passed == len(busy) or busy[passed][0] >= slot.ends_at:
            free.append(slot)
    return free


def open_windows(rules: AvailabilityRules, *, zone: tzinfo, days: Iterable[date]) -> list[Interval]:
    """Return the open times of some days in order. They are disjoint, but may touch."""
    opened: list[Interval] = []
    closed: list[Interval] = []
    for day in days:
        exceptions = [exception for exception in rules.exceptions if exception.date == day]
        opened += [_interval(day, start, end, zone=zone) for start, end in _hours(rules, day, exceptions)]
        closed += [
            _interval(day, exception.start, exception.end, zone=zone)
            for exception in exceptions
            if not exception.available and exception.start is not None and exception.end is not None
        ]
    return _subtract(_merge_overlapping(opened), _merge_overlapping(closed))


def _hours(rules: AvailabilityRules, day: date, exceptions: Sequence[DatedException]) -> list[tuple[time, time]]:
    if any(not exception.available and exception.start is None for exception in exceptions):
        return []
    hours: Sequence[DatedException | WeeklyHours] = [exception for exception in exceptions if exception.available]
    hours = hours or [weekly for weekly in rules.weekly if weekly.weekday == day.weekday()]
    return [(each.start, each.end) for each in hours if each.start is not None and each.end is not None]


def _interval(day: date, start: time, end: time, *, zone: tzinfo) -> Interval:
    end_day = day + _DAY if end == time.min else day
    return (
        first_instant(datetime.combine(day, start), zone=zone),
        last_instant(datetime.combine(end_day, end), zone=zone),
    )


def _merge_overlapping(intervals: Iterable[Interval]) -> list[Interval]:
    """Return disjoint intervals in order. Those that only touch stay apart, for each has a grid of its own."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _subtract(opened: Sequence[Interval], closed: Sequence[Interval]) -> list[Interval]:
    left: list[Interval] = []
    for start, end in opened:
        rest = start
        for closed_from, closed_until in closed:
            if rest < closed_until and closed_from < end:
                left.append((rest, closed_from))
                rest = closed_until
        left.append((rest, end))
    return [(start, end) for start, end in left if start < end]


def _starts(windows: Sequence[Interval], *, duration: timedelta, step: timedelta) -> Iterator[datetime]:
    """Step through each window from its own start; a slot may run on into windows that touch."""
    for (start, end), open_until in zip(windows, _open_until(windows), strict=True):
        moment = start
        while moment < end and moment + duration <= open_until:
            yield moment
            moment += step


def _open_until(windows: Sequence[Interval]) -> list[datetime]:
    """Return, for each window, the end of the last one that can be reached from it without a break."""
    ends: list[datetime] = []
    following = datetime.max.replace(tzinfo=UTC)
    for start, end in reversed(windows):
        ends.append(ends[-1] if ends and end == following else end)
        following = start
    return ends[::-1]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
