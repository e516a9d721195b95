"""Opening hours: which are refused and why, and how new ones are announced."""

import asyncio
from datetime import UTC, date, time, timedelta

import pytest

from fairground.contracts.booking import (
    AvailabilityRules,
    AvailabilityRulesSet,
    AvailabilitySummarySet,
    DatedException,
    FirstHoursSet,
    RulesInvalid,
    WeeklyHours,
)
from fairground.contracts.providers import ProviderNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.booking.time.hours import check_rules
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


@pytest.mark.parametrize(
    "accepted",
    [
        rules(),
        rules((0, NINE, NOON), (0, NOON, FIVE), (1, NINE, MIDNIGHT), (6, MIDNIGHT, MIDNIGHT)),
        rules((0, FIVE, MIDNIGHT), (1, MIDNIGHT, NINE)),
        rules(exceptions=(closed(),)),
        rules(exceptions=(opened(NINE, NOON), opened(NOON, FIVE), closed(NINE, time(10)))),
    ],
)
def test_sound_hours_are_accepted(accepted: AvailabilityRules) -> None:
    check_rules(accepted)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (rules((7, NINE, NOON)), "weekday 7"),
        (rules((-1, NINE, NOON)), "weekday -1"),
        (rules((0, NOON, NINE)), "12:00 to 09:00 on Monday"),
        (rules((0, NINE, NINE)), "empty"),
        (rules((2, NINE, FIVE), (2, NOON, time(18))), "Two windows on Wednesday overlap"),
        (rules((2, NINE, MIDNIGHT), (2, NOON, FIVE)), "overlap"),
        (rules((0, time(9, 0, 30), NOON)), "whole minutes"),
        (rules((0, time(9, tzinfo=UTC), NOON)), "wall time"),
        (rules(*[(0, NINE, NOON)] * 200), "too many"),
        (rules(exceptions=(opened(None, None),)), "without saying when"),
        (rules(exceptions=(opened(NINE, None),)), "only one of start and end"),
        (rules(exceptions=(closed(), opened(NINE, NOON))), "closed all day"),
        (rules(exceptions=(closed(), closed())), "closed all day"),
        (rules(exceptions=(opened(NINE, NOON), opened(time(11), FIVE))), "2026-05-04 overlap"),
        (
            rules(exceptions=tuple(DatedException(date=DAY + timedelta(days=n), available=False) for n in range(367))),
            "367 exceptions",
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
    with pytest.raises(RulesInvalid, match="has hours already"):
        await rig.service.set_first_rules(rules={new.id: later, known.id: later})
    with pytest.raises(RulesInvalid, match="the zone of the provider is UTC"):
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
