"""Availability summaries: the weekly pattern and its exceptional days against the starts of every single date."""

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest

from fairground.contracts.booking import AvailabilityRules, AvailabilitySummarySet, DatedException, TimeOff, WeeklyHours
from fairground.modules.booking.time.rules import check_rules
from fairground.modules.booking.time.slots import Interval
from fairground.modules.booking.time.summary import OfferedStarts, exceptional_days, weekly_pattern
from fairground.verticals.loader import load_verticals
from tests.modules.booking.rig import Rig
from tests.support.proofs import Dose

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
HORIZON_DAYS = 60  # holds the days on which the clocks of these zones change
ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe")
WINDOWS = ((time(0), time(3)), (time(9), time(12)), (time(13, 30), time(20)), (time(22), time(0)))
LATE_WINDOWS = ((time(4), time(9)), (time(11), time(12)), (time(22), time(4)), (time(18, 30), time(21)))


def _rules(chance: random.Random) -> AvailabilityRules:
    windows = chance.choice((WINDOWS, LATE_WINDOWS))
    weekly = [
        WeeklyHours(weekday=day, start=start, end=end)
        for day in range(7)
        for start, end in chance.sample(windows, k=chance.randint(0, 3))
    ]
    days = [NOW.date() + timedelta(days=number) for number in chance.sample(range(-3, HORIZON_DAYS), k=6)]
    closed = [DatedException(date=day, available=False) for day in days[:2]]
    shorter = [DatedException(date=day, available=False, start=time(9), end=time(15)) for day in days[2:4]]
    other = [DatedException(date=day, available=True, start=time(6), end=time(8)) for day in days[4:]]
    off = NOW.date() + timedelta(days=chance.randrange(-10, HORIZON_DAYS))
    time_off = [TimeOff(from_date=off, to_date=off + timedelta(days=chance.randint(0, 20)))]
    return check_rules(
        AvailabilityRules(
            timezone=chance.choice(ZONES), weekly=weekly, exceptions=[*closed, *shorter, *other], time_off=time_off
        )
    )


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


@pytest.mark.parametrize("days_before_horizon", [0, 1, 2, 30])
async def test_day_that_is_booked_out_near_the_horizon_is_not_free(rig: Rig, days_before_horizon: int) -> None:
    pack = load_verticals().find("tutors")
    assert pack is not None
    now = await rig.now()
    # One start a day, which the horizon reaches on its last day too.
    hours = [WeeklyHours(weekday=day, start=time(now.hour), end=time((now.hour + 1) % 24)) for day in range(7)]
    offer = rig.providers.add_service(await rig.provider(weekly=hours))
    hour = now.replace(minute=0, second=0, microsecond=0)
    booking = await rig.hold(offer, starts_at=hour + timedelta(days=pack.booking.horizon_days - days_before_horizon))
    await rig.parts.summaries.publish(provider_id=offer.provider_id)
    (published,) = rig.emitted(AvailabilitySummarySet)
    assert published.week == [time(now.hour)] * 7
    assert published.days[booking.starts_at.date()] is None
    assert published.days.get(booking.starts_at.date() - timedelta(days=1), time(now.hour)) == time(now.hour)
