"""Opening hours: which are refused and why, and how new ones are announced."""

import asyncio
from datetime import UTC, date, time, timedelta

import pytest

from fairground.contracts.booking import (
    Availability,
    AvailabilityRules,
    AvailabilityRulesSet,
    AvailabilitySummarySet,
    BookingStatus,
    DatedException,
    FirstHoursSet,
    NotOffered,
    RulesChanges,
    RulesInvalid,
    TimeOff,
    WeeklyHours,
)
from fairground.contracts.providers import ProviderNotFound, ProviderTimezoneSet
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import get_zone
from fairground.modules.booking.time.hours import EndPause
from fairground.modules.booking.time.rules import check_rules
from tests.modules.booking.rig import ALWAYS_OPEN, Rig, owner_of

pytestmark = pytest.mark.anyio

MIDNIGHT = time(0)
NINE, NOON, FIVE = time(9), time(12), time(17)
DAY = date(2026, 5, 4)


def rules(*hours: tuple[int, time, time], exceptions: tuple[DatedException, ...] = ()) -> AvailabilityRules:
    weekly = [WeeklyHours(weekday=weekday, start=start, end=end) for weekday, start, end in hours]
    return AvailabilityRules(timezone="Europe/Oslo", weekly=weekly, exceptions=list(exceptions))


def opened(start: time | None, end: time | None) -> DatedException:
    return DatedException(date=DAY, available=True, start=start, end=end)


def closed(start: time | None = None, end: time | None = None) -> DatedException:
    return DatedException(date=DAY, available=False, start=start, end=end)


def on_next_day(start: time, end: time) -> tuple[DatedException, ...]:
    return (DatedException(date=DAY + timedelta(days=1), available=True, start=start, end=end),)


@pytest.mark.parametrize(
    "accepted",
    [
        rules(),
        rules((0, NINE, NOON), (0, NOON, FIVE), (1, NINE, MIDNIGHT), (6, MIDNIGHT, MIDNIGHT)),
        rules((0, FIVE, MIDNIGHT), (1, MIDNIGHT, NINE)),
        rules((4, FIVE, NINE), (5, NINE, NOON)),
        rules(*[(weekday, NINE, NINE) for weekday in range(7)]),
        rules((0, FIVE, NINE), exceptions=(closed(), *on_next_day(time(8), NOON))),
        rules((0, FIVE, NINE), exceptions=(opened(FIVE, time(8)), *on_next_day(time(8), NOON))),
        rules(exceptions=(closed(),)),
        rules(exceptions=(opened(NINE, NOON), opened(NOON, FIVE), closed(NINE, time(10)))),
    ],
)
def test_sound_hours_are_accepted(accepted: AvailabilityRules) -> None:
    check_rules(accepted)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (rules((7, NINE, NOON)), "not 7"),
        (rules((-1, NINE, NOON)), "not -1"),
        (rules((2, NINE, FIVE), (2, NOON, time(18))), "Two time ranges on Wednesday overlap"),
        (
            rules((4, FIVE, NINE), (5, time(8), NOON)),
            "on Friday runs past midnight and overlaps the first one on Saturday",
        ),
        (
            rules((0, time(8), NOON), (6, FIVE, NINE)),
            "on Sunday runs past midnight and overlaps the first one on Monday",
        ),
        (rules((2, FIVE, NINE), (2, time(20), time(21))), "Two time ranges on Wednesday overlap"),
        (rules((0, FIVE, time(10)), exceptions=on_next_day(NINE, NOON)), "2026-05-04 runs past midnight"),
        (rules((1, NINE, NOON), exceptions=(opened(FIVE, time(10)),)), "first one on 2026-05-05"),
        (rules((2, NINE, MIDNIGHT), (2, NOON, FIVE)), "overlap"),
        (rules((0, time(9, 0, 30), NOON)), "hours and minutes"),
        (rules((0, time(9, tzinfo=UTC), NOON)), "not a valid time"),
        (rules(*[(0, NINE, NOON)] * 200), "too many"),
        (rules(exceptions=(opened(None, None),)), "needs a start and an end time"),
        (rules(exceptions=(opened(NINE, None),)), "needs both a start and an end time"),
        (rules(exceptions=(closed(), opened(NINE, NOON))), "closed all day"),
        (rules(exceptions=(closed(), closed())), "closed all day"),
        (rules(exceptions=(opened(NINE, NOON), opened(time(11), FIVE))), "2026-05-04 overlap"),
        (
            rules(exceptions=tuple(DatedException(date=DAY + timedelta(days=n), available=False) for n in range(367))),
            "367 special dates",
        ),
        (AvailabilityRules(timezone="Europe/Atlantis", weekly=[]), "Europe/Atlantis"),
    ],
)
def test_unsound_hours_are_refused_by_name(refused: AvailabilityRules, reason: str) -> None:
    with pytest.raises(RulesInvalid, match=reason):
        check_rules(refused)


async def test_new_hours_are_announced_with_a_version_that_grows(rig: Rig) -> None:
    provider = await rig.provider()
    nothing = AvailabilityRules(timezone="UTC", weekly=[])
    await rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=nothing)
    announced = [(event.version, event.has_hours) for event in rig.emitted(AvailabilityRulesSet)]
    assert announced == [(1, True), (2, False)]
    assert await rig.service.get_rules(provider_id=provider.id) == nothing


async def test_hours_set_at_once_get_versions_of_their_own(rig: Rig) -> None:
    provider = rig.providers.add_provider(timezone="UTC")
    always = AvailabilityRules(timezone="UTC", weekly=ALWAYS_OPEN)
    await asyncio.gather(
        *(rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=always) for _ in range(8))
    )
    assert sorted(event.version for event in rig.emitted(AvailabilityRulesSet)) == list(range(1, 9))


async def test_hours_of_another_account_cannot_be_set(rig: Rig) -> None:
    provider = await rig.provider()
    with pytest.raises(ProviderNotFound):
        await rig.service.set_rules(
            owner_id=uuid7(), provider_id=provider.id, rules=AvailabilityRules(timezone="UTC", weekly=[])
        )


async def test_first_hours_are_those_that_single_calls_would_set(rig: Rig) -> None:
    providers = [rig.providers.add_provider(timezone=zone) for zone in ("Europe/Oslo", "UTC")]
    given = [rules((0, NINE, NOON), exceptions=(closed(),)), AvailabilityRules(timezone="UTC", weekly=[])]
    by_id = {provider.id: hours for provider, hours in zip(providers, given, strict=True)}
    await rig.service.set_first_rules(rules=by_id)
    for provider_id, hours in by_id.items():
        assert await rig.service.get_rules(provider_id=provider_id) == hours
    has_hours = {providers[0].id: True, providers[1].id: False}
    assert rig.outbox.events == [FirstHoursSet(has_hours=has_hours, version=1)]
    await rig.service.set_rules(owner_id=owner_of(providers[0]), provider_id=providers[0].id, rules=given[0])
    assert rig.emitted(AvailabilityRulesSet)[-1].version == 2


async def test_first_hours_of_a_provider_who_has_some_are_refused_whole(rig: Rig) -> None:
    known, new = await rig.provider(), rig.providers.add_provider(timezone="UTC")
    later = AvailabilityRules(timezone="UTC", weekly=[])
    with pytest.raises(RulesInvalid, match="already has hours"):
        await rig.service.set_first_rules(rules={new.id: later, known.id: later})
    with pytest.raises(RulesInvalid, match="the provider's time zone is UTC"):
        await rig.service.set_first_rules(rules={new.id: rules()})
    with pytest.raises(ProviderNotFound):
        await rig.service.set_first_rules(rules={uuid7(): later})
    assert (await rig.service.get_rules(provider_id=known.id)).weekly == ALWAYS_OPEN
    assert not rig.emitted(FirstHoursSet)


async def test_first_hours_are_followed_by_a_summary_of_each_provider(rig: Rig) -> None:
    providers = [rig.providers.add_provider(timezone="UTC") for _ in range(3)]
    for provider in providers:
        rig.providers.add_service(provider)
    always = AvailabilityRules(timezone="UTC", weekly=ALWAYS_OPEN)
    await rig.service.set_first_rules(rules={provider.id: always for provider in providers})
    [event] = rig.emitted(FirstHoursSet)
    await rig.handlers[FirstHoursSet](event)
    summaries = rig.emitted(AvailabilitySummarySet)
    assert {summary.provider_id for summary in summaries} == {provider.id for provider in providers}
    assert all(None not in summary.week for summary in summaries)


async def test_a_change_leaves_the_other_fields_as_they_are(rig: Rig) -> None:
    provider = await rig.provider()
    owner, today = owner_of(provider), (await rig.now()).date()
    off = TimeOff(from_date=today, to_date=today + timedelta(days=13), note=" Two weeks\n off ")
    await rig.service.add_time_off(owner_id=owner, provider_id=provider.id, time_off=off)
    closed_on = DatedException(date=today, available=False)
    changes = RulesChanges(exceptions=[closed_on], min_notice_hours=48)
    changed = await rig.service.change_rules(owner_id=owner, provider_id=provider.id, changes=changes)
    assert changed == await rig.service.get_rules(provider_id=provider.id)
    assert (changed.weekly, changed.exceptions, changed.min_notice_hours) == (ALWAYS_OPEN, [closed_on], 48)
    assert changed.time_off == [off.model_copy(update={"note": "Two weeks off"})]
    rest = await rig.service.remove_time_off(owner_id=owner, provider_id=provider.id, from_date=today)
    assert rest.time_off == []
    assert await rig.service.remove_time_off(owner_id=owner, provider_id=provider.id, from_date=today) == rest


async def test_time_off_that_is_added_at_once_is_all_there(rig: Rig) -> None:
    provider = await rig.provider()
    first = (await rig.now()).date()
    entries = [TimeOff(from_date=day, to_date=day) for day in (first + timedelta(days=number) for number in range(6))]
    await asyncio.gather(
        *(
            rig.service.add_time_off(owner_id=owner_of(provider), provider_id=provider.id, time_off=each)
            for each in entries
        )
    )
    assert (await rig.service.get_rules(provider_id=provider.id)).time_off == entries


async def test_dates_that_have_passed_are_refused_unless_they_were_there_before(rig: Rig) -> None:
    provider = await rig.provider(timezone="Pacific/Kiritimati")
    owner, today = owner_of(provider), (await rig.now()).astimezone(get_zone("Pacific/Kiritimati")).date()
    days = {number: today + timedelta(days=number) for number in (-1, 0)}
    for passed in (
        {"exceptions": [DatedException(date=days[-1], available=False)]},
        {"time_off": [TimeOff(from_date=days[-1], to_date=days[-1])]},
        {"paused_until": days[0]},
    ):
        with pytest.raises(RulesInvalid) as refused:
            await rig.service.change_rules(owner_id=owner, provider_id=provider.id, changes=RulesChanges(**passed))
        assert str(refused.value.context["field"]).split(".")[0] in passed
    kept = RulesChanges(
        exceptions=[DatedException(date=days[0], available=False)],
        time_off=[TimeOff(from_date=days[-1], to_date=days[0])],
        paused_until=today + timedelta(days=1),
    )
    before = await rig.service.change_rules(owner_id=owner, provider_id=provider.id, changes=kept)
    rig.pass_time(days=2)
    after = await rig.service.change_rules(owner_id=owner, provider_id=provider.id, changes=kept)
    assert after == before
    assert (await rig.service.get_rules(provider_id=provider.id)).paused_until is None, "The pause is over."


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(2, 1)], "ends before it starts"),
        ([(1, 3), (3, 5)], "overlaps time off"),
        ([(1, 9), (2, 3)], "overlaps time off"),
    ],
)
def test_time_off_out_of_order_is_refused(entries: list[tuple[int, int]], reason: str) -> None:
    off = [TimeOff(from_date=date(2027, 1, first), to_date=date(2027, 1, last)) for first, last in entries]
    with pytest.raises(RulesInvalid, match=reason):
        check_rules(rules().model_copy(update={"time_off": off}))


@pytest.mark.parametrize("hours", [-1, 721])
def test_a_notice_beyond_its_bounds_is_refused(hours: int) -> None:
    with pytest.raises(RulesInvalid, match="0 to 720"):
        check_rules(rules().model_copy(update={"min_notice_hours": hours}))


async def test_a_pause_hides_all_times_until_its_last_day_is_over(rig: Rig) -> None:
    provider = await rig.provider()
    offer, owner, start = rig.providers.add_service(provider), owner_of(provider), await rig.tomorrow()
    until = start.date() - timedelta(days=1)
    booked = await rig.pay(await rig.hold(offer, starts_at=start + timedelta(hours=3)))
    changes = RulesChanges(paused_until=until)
    await rig.service.change_rules(owner_id=owner, provider_id=provider.id, changes=changes)

    async def last_starts() -> list[time | None]:
        await rig.parts.summaries.publish(provider_id=provider.id)
        return list(rig.emitted(AvailabilitySummarySet)[-1].week)

    async def listed() -> Availability:
        return await rig.service.list_slots(
            provider_id=provider.id, from_date=start.date(), to_date=start.date(), service_id=None
        )

    paused = await listed()
    assert (paused.slots, paused.is_paused, paused.paused_until) == ([], True, until)
    assert await last_starts() == [None] * 7
    with pytest.raises(NotOffered):
        await rig.hold(offer, starts_at=start)
    assert await rig.status(booked) is BookingStatus.REQUESTED, "Bookings that were made stay."

    [job] = [job for job in rig.outbox.jobs if isinstance(job, EndPause)]
    rig.outbox.jobs.clear()
    await rig.handlers[EndPause](job)
    assert [type(each) for each in rig.outbox.jobs if isinstance(each, EndPause)] == [EndPause], "It was too early."
    rig.pass_time(days=1)
    await rig.handlers[EndPause](job)
    assert None not in rig.emitted(AvailabilitySummarySet)[-1].week
    assert (await listed()).slots
    assert not (await listed()).is_paused


async def test_another_zone_moves_the_end_of_a_pause(rig: Rig) -> None:
    provider = await rig.provider(timezone="America/New_York")
    today = (await rig.now()).date()
    changes = RulesChanges(paused_until=today + timedelta(days=5))
    await rig.service.change_rules(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    ends = [job for job in rig.outbox.jobs if isinstance(job, EndPause)]
    moved = ProviderTimezoneSet(provider_id=provider.id, slug=provider.slug, timezone="Asia/Tokyo", version=2)
    await rig.parts.hours.follow_timezone(moved)
    assert len([job for job in rig.outbox.jobs if isinstance(job, EndPause)]) == len(ends) + 1
