"""A weekly pattern and its exceptional days, against the starts of every single date."""

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest

from fairground.contracts.booking import AvailabilityRules, DatedException, WeeklyHours
from fairground.modules.booking.time.domain.slots import Interval
from fairground.modules.booking.time.domain.summary import OfferedStarts, exceptional_days, weekly_pattern
from tests.support.proofs import Dose

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
HORIZON_DAYS = 60  # holds the days on which the clocks of these zones change
ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe")
WINDOWS = ((time(0), time(3)), (time(9), time(12)), (time(13, 30), time(20)), (time(22), time(0)))


def _rules(chance: random.Random) -> AvailabilityRules:
    weekly = [
        WeeklyHours(weekday=day, start=start, end=end)
        for day in range(7)
        for start, end in chance.sample(WINDOWS, k=chance.randint(0, 3))
    ]
    days = [NOW.date() + timedelta(days=number) for number in chance.sample(range(-3, HORIZON_DAYS), k=6)]
    closed = [DatedException(date=day, available=False) for day in days[:2]]
    shorter = [DatedException(date=day, available=False, start=time(9), end=time(15)) for day in days[2:4]]
    other = [DatedException(date=day, available=True, start=time(6), end=time(8)) for day in days[4:]]
    return AvailabilityRules(timezone=chance.choice(ZONES), weekly=weekly, exceptions=[*closed, *shorter, *other])


def _busy(chance: random.Random) -> list[Interval]:
    starts = sorted(chance.sample(range(-24, HORIZON_DAYS * 24, 4), k=chance.randint(0, 30)))
    midday = NOW.replace(hour=12, minute=0)
    return [
        (midday + timedelta(hours=start), midday + timedelta(hours=start, minutes=chance.choice((30, 90, 240))))
        for start in starts
    ]


def test_every_date_is_as_the_pattern_and_the_exceptional_days_say(dose: Dose) -> None:
    chance, seen_exceptional = random.Random(5), 0
    for _ in range(dose(small=12, full=400)):
        minutes, step = chance.choice((30, 60, 150)), chance.choice((15, 30, 60))
        starts = OfferedStarts(rules=_rules(chance), duration=timedelta(minutes=minutes), step=timedelta(minutes=step))
        busy = _busy(chance)
        pattern = weekly_pattern(starts)
        exceptional = exceptional_days(starts, pattern=pattern, busy=busy, now=NOW, horizon_days=HORIZON_DAYS)
        seen_exceptional += len(exceptional)
        first = NOW.date() + timedelta(days=1)
        for day in (first + timedelta(days=number) for number in range(HORIZON_DAYS)):
            expected = starts.last_start(day, busy=busy)
            assert exceptional.get(day, pattern[day.weekday()]) == expected, (starts, day)
    assert seen_exceptional


@pytest.mark.parametrize(("lasts_minutes", "last"), [(60, time(11)), (180, time(9)), (181, None)])
def test_the_last_start_leaves_time_for_the_service(lasts_minutes: int, last: time | None) -> None:
    rules = AvailabilityRules(timezone="Europe/Oslo", weekly=[WeeklyHours(weekday=2, start=time(9), end=time(12))])
    starts = OfferedStarts(rules=rules, duration=timedelta(minutes=lasts_minutes), step=timedelta(minutes=30))
    assert weekly_pattern(starts) == [None, None, last, None, None, None, None]
    assert starts.last_start(date(2026, 6, 3)) == last
