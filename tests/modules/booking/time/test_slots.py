"""Slots, as other modules and pages list them, and against an oracle that knows no arithmetic."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairground.contracts.booking import AvailabilityRules, BookingStatus, DatedException, Slot, TimeOff, WeeklyHours
from fairground.contracts.providers import ProviderNotFound, ProviderStatus
from fairground.kernel.zones import get_zone
from fairground.modules.booking.time.rules import check_rules
from fairground.modules.booking.time.slots import is_offered, list_offered, without_busy
from fairground.verticals.schema import BookingRules
from tests.modules.booking.rig import Rig
from tests.modules.booking.time.slot_oracle import DAY, slots_by_oracle
from tests.support.proofs import IS_FULL

pytestmark = pytest.mark.anyio

ZONES: Final = (
    "UTC",
    "Europe/Oslo",
    "America/New_York",
    "America/Sao_Paulo",  # skipped and repeated midnight until 2019
    "Australia/Lord_Howe",  # moves by half an hour
    "Africa/Casablanca",  # changes four times in some years, around Ramadan
    "Asia/Kathmandu",
    "Pacific/Apia",  # left out 30 December 2011
    "America/St_Johns",
    "Asia/Tehran",
    "America/Havana",  # repeats the hour after midnight
)
LONG_AGO: Final = datetime(2009, 1, 1, tzinfo=UTC)


@cache
def days_of_change(name: str) -> tuple[date, ...]:
    """Return the local dates of 2010 to 2027 on which the zone changes its offset."""
    zone, found = get_zone(name), []
    for number in range(18 * 365 * 2):
        before = datetime(2010, 1, 1, tzinfo=UTC) + number * DAY / 2
        after = before + DAY / 2
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found.append(after.astimezone(zone).date())
    return tuple(found) or (date(2026, 3, 29),)


def pack(*, slot_minutes: int, min_notice_hours: int = 0, horizon_days: int = 730) -> BookingRules:
    return BookingRules(
        slot_minutes=slot_minutes,
        min_notice_hours=min_notice_hours,
        horizon_days=horizon_days,
        duration_minutes=(60,),
        modes=("request",),
        places=("online",),
    )


# What is drawn: hours on the quarter, most of them at night, where zones change, and often until or from the end of a
# working day, which is at midnight or up to four hours after it, so that no day's hours overlap those of the next one.

QUARTERS: Final = 24 * 4
cuts = st.one_of(st.just(0), st.integers(0, 16))
quarters = st.one_of(st.integers(0, 16), st.integers(0, 16), st.integers(84, 95), st.integers(0, 95))


@st.composite
def windows(draw: st.DrawFn, cut: int) -> list[tuple[time, time]]:
    drawn = draw(st.lists(quarters, min_size=2, max_size=6, unique=True))
    edges = sorted(edge if edge >= cut else edge + QUARTERS for edge in drawn)
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    if draw(st.booleans()):
        pairs[-1] = (pairs[-1][0], cut + QUARTERS)
    if draw(st.booleans()):
        pairs[0] = (cut, pairs[0][1])
    return [(clock(start), clock(end)) for start, end in pairs if start < QUARTERS]


def clock(quarter: int) -> time:
    return time(quarter % QUARTERS // 4, quarter % 4 * 15)


@st.composite
def rules_around_a_change(draw: st.DrawFn) -> tuple[AvailabilityRules, date]:
    name, cut = draw(st.sampled_from(ZONES)), draw(cuts)
    changed = draw(st.sampled_from(days_of_change(name)))
    day = changed + draw(st.sampled_from([-1, 0, 0, 0, 1])) * DAY
    weekly = [
        WeeklyHours(weekday=weekday, start=start, end=end) for weekday in range(7) for start, end in draw(windows(cut))
    ]
    exceptions = []
    for offset in range(-2, 3):
        kind = draw(st.sampled_from(["none", "none", "none", "closed", "other hours", "break", "both"]))
        exceptions += exceptions_of(kind, day + offset * DAY, draw, cut)
    time_off = []
    if draw(st.integers(0, 3)) == 0:
        first = day + draw(st.integers(-4, 2)) * DAY
        time_off = [TimeOff(from_date=first, to_date=first + draw(st.integers(0, 2)) * DAY)]
    return AvailabilityRules(timezone=name, weekly=weekly, exceptions=exceptions, time_off=time_off), day


def exceptions_of(kind: str, day: date, draw: st.DrawFn, cut: int) -> list[DatedException]:
    if kind == "closed":
        return [DatedException(date=day, available=False)]
    found = []
    if kind in {"other hours", "both"}:
        hours = draw(windows(cut))
        found += [DatedException(date=day, available=True, start=start, end=end) for start, end in hours]
    if kind in {"break", "both"}:
        hours = draw(windows(draw(cuts)))
        found += [DatedException(date=day, available=False, start=start, end=end) for start, end in hours]
    return found


@pytest.mark.proof
@pytest.mark.timeout(900)
@settings(max_examples=5000 if IS_FULL else 150, deadline=None)
@given(
    drawn=rules_around_a_change(),
    minutes=st.sampled_from([15, 30, 50, 60, 90, 240]),
    step=st.sampled_from([10, 15, 30, 45, 60]),
)
def test_slots_are_those_of_the_oracle(drawn: tuple[AvailabilityRules, date], minutes: int, step: int) -> None:
    rules, day = drawn
    check_rules(rules)
    expected = slots_by_oracle(rules, day=day, minutes=minutes, step=step)
    now = datetime.combine(day - 30 * DAY, time.min, tzinfo=UTC)
    found = offered(rules, day, day, now=now, minutes=minutes, step=step)
    assert [slot.starts_at for slot in found] == expected
    assert {slot.ends_at - slot.starts_at for slot in found} <= {timedelta(minutes=minutes)}


@pytest.mark.proof
@pytest.mark.timeout(900)
@settings(max_examples=1000 if IS_FULL else 40, deadline=None)
@given(drawn=rules_around_a_change(), before=st.integers(0, 5), after=st.integers(0, 5))
def test_a_longer_list_offers_the_same_starts_as_a_shorter_one(
    drawn: tuple[AvailabilityRules, date], before: int, after: int
) -> None:
    rules, day = drawn
    now = datetime.combine(day - 30 * DAY, time.min, tzinfo=UTC)
    zone = get_zone(rules.timezone)
    long = offered(rules, day - before * DAY, day + after * DAY, now=now)
    assert [slot for slot in long if slot.starts_at.astimezone(zone).date() == day] == offered(rules, day, day, now=now)
    booking = pack(slot_minutes=30)
    assert all(
        is_offered(rules, starts_at=slot.starts_at, duration=timedelta(hours=1), booking=booking, now=now)
        for slot in long[:5]
    )


def offered(
    rules: AvailabilityRules, first: date, last: date, *, now: datetime = LONG_AGO, minutes: int = 60, step: int = 30
) -> list[Slot]:
    # A notice of nothing and a horizon of two years leave only the rules.
    return list_offered(
        rules,
        from_date=first,
        to_date=last,
        duration=timedelta(minutes=minutes),
        booking=pack(slot_minutes=step),
        now=now,
    )


def daily(timezone: str, *hours: tuple[time, time]) -> AvailabilityRules:
    return AvailabilityRules(
        timezone=timezone,
        weekly=[WeeklyHours(weekday=day, start=start, end=end) for day in range(7) for start, end in hours],
    )


def local(slots: Sequence[Slot], timezone: str) -> list[str]:
    return [f"{slot.starts_at.astimezone(get_zone(timezone)):%H:%M%z}" for slot in slots]


def on(rules: AvailabilityRules, day: date, **terms: int) -> list[str]:
    now = datetime.combine(day - 2 * DAY, time.min, tzinfo=UTC)
    return local(offered(rules, day, day, now=now, **terms), rules.timezone)


def test_an_hour_that_is_skipped_is_not_offered() -> None:
    rules = daily("Europe/Oslo", (time(1), time(4)))
    assert on(rules, date(2026, 3, 29), step=60) == ["01:00+0100", "03:00+0200"]


def test_an_hour_that_is_shown_twice_is_offered_twice() -> None:
    rules = daily("Europe/Oslo", (time(1), time(4)))
    assert on(rules, date(2026, 10, 25), step=60) == ["01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100"]


def test_a_window_that_starts_in_a_gap_opens_at_its_end() -> None:
    rules = daily("Europe/Oslo", (time(2, 30), time(5)))
    assert on(rules, date(2026, 3, 29), step=60) == ["03:00+0200", "04:00+0200"]


def test_a_day_that_does_not_exist_has_no_slots() -> None:
    rules = daily("Pacific/Apia", (time(9), time(17)))
    assert on(rules, date(2011, 12, 30)) == []
    assert len(on(rules, date(2011, 12, 31))) == 15


def test_a_slot_may_cross_midnight_where_two_rows_meet() -> None:
    rules = daily("UTC", (time(23), time(0)), (time(0), time(1)))
    assert on(rules, date(2026, 5, 4), minutes=120, step=60) == ["23:00+0000"]


def test_hours_past_midnight_are_one_window_of_the_day_on_which_they_start() -> None:
    friday = AvailabilityRules(timezone="UTC", weekly=[WeeklyHours(weekday=4, start=time(18), end=time(2))])
    assert on(friday, date(2026, 5, 8), minutes=120, step=120) == [f"{hour}:00+0000" for hour in (18, 20, 22)]
    assert on(friday, date(2026, 5, 9), minutes=120, step=120) == ["00:00+0000"]
    assert on(friday, date(2026, 5, 9), minutes=180, step=60) == []
    assert on(friday, date(2026, 5, 8), minutes=180, step=60)[-1] == "23:00+0000", "A slot runs through midnight."


def test_a_night_on_which_the_clock_changes_is_an_hour_shorter_or_longer() -> None:
    nights = daily("Europe/Oslo", (time(22), time(4)))
    assert on(nights, date(2026, 3, 29), step=60)[:3] == ["00:00+0100", "01:00+0100", "03:00+0200"]
    assert on(nights, date(2026, 10, 25), step=60)[:5] == [
        "00:00+0200", "01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100",
    ]  # fmt: skip


def test_a_window_of_24_hours_ends_when_it_began() -> None:
    saturday = AvailabilityRules(timezone="UTC", weekly=[WeeklyHours(weekday=5, start=time(9), end=time(9))])
    assert on(saturday, date(2026, 5, 9), step=60, minutes=60)[0] == "09:00+0000"
    assert on(saturday, date(2026, 5, 10), step=60, minutes=60)[-1] == "08:00+0000"
    assert on(saturday, date(2026, 5, 9), step=60, minutes=24 * 60) == ["09:00+0000"]


def test_a_night_ends_at_midnight_before_a_day_off() -> None:
    nights = daily("UTC", (time(22), time(2)))
    day = date(2026, 12, 24)
    closed = [DatedException(date=day, available=False)]
    for rules in (
        nights.model_copy(update={"exceptions": closed}),
        nights.model_copy(update={"time_off": [TimeOff(from_date=day, to_date=day)]}),
    ):
        assert on(rules, day - DAY, step=60) == ["00:00+0000", "01:00+0000", "22:00+0000", "23:00+0000"]
        assert on(rules, day) == []
        assert on(rules, day + DAY, step=60) == ["22:00+0000", "23:00+0000"]


def test_time_off_takes_all_its_days_and_no_other() -> None:
    off = TimeOff(from_date=date(2026, 5, 5), to_date=date(2026, 5, 18))
    rules = daily("Europe/Oslo", (time(9), time(10))).model_copy(update={"time_off": [off]})
    slots = offered(rules, date(2026, 5, 1), date(2026, 5, 31), now=datetime(2026, 4, 1, tzinfo=UTC))
    assert [slot.starts_at.day for slot in slots] == [*range(1, 5), *range(19, 32)]


@pytest.mark.parametrize(("own", "first"), [(None, "12:30"), (0, "10:30"), (1, "11:30"), (25, "11:30")])
def test_notice_of_the_provider_comes_before_that_of_the_pack(own: int | None, first: str) -> None:
    rules = daily("UTC", (time(0), time(0))).model_copy(update={"min_notice_hours": own})
    now = datetime(2026, 5, 4, 10, 10, tzinfo=UTC)
    slots = list_offered(
        rules,
        from_date=now.date(),
        to_date=now.date() + 2 * DAY,
        duration=timedelta(hours=1),
        booking=pack(slot_minutes=30, min_notice_hours=2),
        now=now,
    )
    assert f"{slots[0].starts_at:%H:%M}" == first
    assert slots[0].starts_at - now >= timedelta(hours=2 if own is None else own)


@pytest.mark.parametrize("until", ["reopened", date(2026, 5, 6)])
def test_nothing_is_offered_while_bookings_are_paused(until: date | Literal["reopened"]) -> None:
    rules = daily("Asia/Tokyo", (time(0), time(0))).model_copy(update={"paused_until": until})
    paused, over = datetime(2026, 5, 5, 14, 59, tzinfo=UTC), datetime(2026, 5, 5, 15, 0, tzinfo=UTC)
    assert not offered(rules, date(2026, 5, 1), date(2026, 5, 31), now=paused)
    assert bool(offered(rules, date(2026, 5, 1), date(2026, 5, 31), now=over)) is (until != "reopened")


def test_a_notice_and_a_horizon_bound_what_is_offered() -> None:
    rules, now = daily("UTC", (time(0), time(0))), datetime(2026, 5, 4, 10, 10, tzinfo=UTC)
    booking = pack(slot_minutes=30, min_notice_hours=2, horizon_days=3)
    slots = list_offered(
        rules,
        from_date=date(2026, 5, 1),
        to_date=date(2026, 6, 1),
        duration=timedelta(hours=1),
        booking=booking,
        now=now,
    )
    assert slots[0].starts_at == datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
    assert slots[-1].starts_at == datetime(2026, 5, 7, 23, 30, tzinfo=UTC)


def test_busy_times_take_away_what_overlaps_them_and_nothing_else() -> None:
    day = date(2026, 5, 4)
    slots = offered(daily("UTC", (time(9), time(13))), day, day, now=datetime(2026, 5, 1, tzinfo=UTC))
    busy = [
        (datetime(2026, 5, 4, 10, tzinfo=UTC), datetime(2026, 5, 4, 11, tzinfo=UTC)),
        (datetime(2026, 5, 4, 11, tzinfo=UTC), datetime(2026, 5, 4, 11, 15, tzinfo=UTC)),
    ]
    assert local(without_busy(slots, busy), "UTC") == ["09:00+0000", "11:30+0000", "12:00+0000"]


async def test_a_provider_without_hours_or_services_has_no_free_times(rig: Rig) -> None:
    day = (await rig.tomorrow()).date()
    without_hours = rig.providers.add_provider(timezone="Europe/Oslo")
    rig.providers.add_service(without_hours)
    without_services = await rig.provider()
    for provider in (without_hours, without_services):
        found = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
        assert (found.timezone, found.slots) == (provider.timezone, [])


async def test_slots_have_the_length_of_the_asked_or_the_shortest_service(rig: Rig) -> None:
    provider = await rig.provider()
    long = rig.providers.add_service(provider, duration_minutes=120)
    rig.providers.add_service(provider, duration_minutes=45)
    day = (await rig.tomorrow()).date()
    for service_id, minutes in ((None, 45), (long.service_id, 120)):
        found = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=service_id)
        assert {slot.ends_at - slot.starts_at for slot in found.slots} == {timedelta(minutes=minutes)}


async def test_every_listed_start_can_be_held_and_is_then_listed_no_more(rig: Rig) -> None:
    hours = [WeeklyHours(weekday=day, start=time(9), end=time(12)) for day in range(7)]
    offer = rig.providers.add_service(await rig.provider(timezone="America/St_Johns", weekly=hours))
    day = (await rig.tomorrow()).date()

    async def starts() -> list[object]:
        found = await rig.service.list_slots(
            provider_id=offer.provider_id, from_date=day, to_date=day, service_id=offer.service_id
        )
        return [slot.starts_at for slot in found.slots]

    listed = await starts()
    assert len(listed) == 5
    for start in listed[::2]:
        assert (await rig.hold(offer, starts_at=start)).status is BookingStatus.HELD  # type: ignore[arg-type]
    assert await starts() == []
    rig.pass_time(minutes=11)
    assert await starts() == listed, "A hold that has lapsed takes no time, even before it was ended."


@pytest.mark.parametrize("status", [status for status in ProviderStatus if status is not ProviderStatus.APPROVED])
async def test_slots_of_a_provider_that_is_not_approved_are_not_found(rig: Rig, status: ProviderStatus) -> None:
    provider = await rig.provider()
    rig.providers.add_service(provider)
    day = (await rig.tomorrow()).date()
    listed = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
    assert listed.slots
    rig.providers.providers[provider.id] = provider.model_copy(update={"status": status})
    with pytest.raises(ProviderNotFound):
        await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
