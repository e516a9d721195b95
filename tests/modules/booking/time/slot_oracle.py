"""Slots by an oracle that knows no arithmetic: it looks at the clock on the wall, minute by minute."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from fairground.contracts.booking import AvailabilityRules
from fairground.kernel.zones import get_zone

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)

# Minutes are counted from the start of what it looks at.


class Wall:
    """What the clock shows in each minute around some days."""

    def __init__(self, zone: tzinfo, *, first: date, last: date) -> None:
        self.start = datetime.combine(first, time.min, tzinfo=UTC) - DAY
        count = ((last - first).days + 4) * 24 * 60
        self.shows = [(self.start + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(count)]

    def first(self, wall: datetime) -> int:
        return next(n for n, shown in enumerate(self.shows) if shown >= wall)

    def last(self, wall: datetime) -> int:
        exactly = [n for n, shown in enumerate(self.shows) if shown == wall]
        return exactly[-1] if exactly else self.first(wall)

    def window(self, day: date, start: time, end: time) -> range:
        end_day = day if end > start else day + DAY
        return range(self.first(datetime.combine(day, start)), self.last(datetime.combine(end_day, end)))


def slots_by_oracle(rules: AvailabilityRules, *, day: date, minutes: int, step: int) -> list[datetime]:
    days = [day + number * DAY for number in range(-3, 3)]
    wall = Wall(get_zone(rules.timezone), first=days[0], last=days[-1])
    opened: list[range] = []
    closed: set[int] = set()
    for current in days:
        exceptions = [exception for exception in rules.exceptions if exception.date == current]
        is_off = any(each.from_date <= current <= each.to_date for each in rules.time_off)
        if is_off or any(not exception.available and exception.start is None for exception in exceptions):
            closed |= {n for n, shown in enumerate(wall.shows) if shown.date() == current}
            continue
        special = [(e.start, e.end) for e in exceptions if e.available]
        weekly = [(w.start, w.end) for w in rules.weekly if w.weekday == current.weekday()]
        opened += [wall.window(current, start, end) for start, end in special or weekly]  # type: ignore[arg-type]
        closed |= {
            n
            for e in exceptions
            if not e.available and e.start is not None and e.end is not None
            for n in wall.window(current, e.start, e.end)
        }
    is_open = {n for window in opened for n in window} - closed
    open_for = [0] * (len(wall.shows) + 1)
    for n in reversed(range(len(wall.shows))):
        open_for[n] = open_for[n + 1] + 1 if n in is_open else 0
    starts, grid_from = [], 0
    for n in sorted(is_open):
        is_first = any(n == window.start for window in opened) and not any(
            window.start < n < window.stop for window in opened
        )
        if n - 1 not in is_open or is_first:
            grid_from = n
        if (n - grid_from) % step == 0 and open_for[n] >= minutes and wall.shows[n].date() == day:
            starts.append(wall.start + n * MINUTE)
    return starts
