"""Hours and free times, as other modules and pages ask for them."""

import asyncio
from datetime import time, timedelta

import pytest

from fairground.contracts.booking import AvailabilityRules, AvailabilityRulesSet, BookingStatus, WeeklyHours
from fairground.contracts.providers import ProviderNotFound, ProviderStatus
from fairground.kernel.ids import uuid7
from tests.modules.booking.rig import ALWAYS_OPEN, Rig, owner_of

pytestmark = pytest.mark.anyio


async def test_new_hours_are_announced_with_a_version_that_grows(rig: Rig) -> None:
    provider = await rig.provider()
    nothing = AvailabilityRules(timezone="UTC", weekly=[])
    await rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=nothing)
    announced = [(event.version, event.has_hours) for event in rig.emitted(AvailabilityRulesSet)]
    assert announced == [(1, True), (2, False)]
    assert await rig.service.get_rules(provider_id=provider.id) == nothing


async def test_hours_set_at_once_get_versions_of_their_own(rig: Rig) -> None:
    provider = rig.catalog.add_provider(timezone="UTC")
    rules = AvailabilityRules(timezone="UTC", weekly=ALWAYS_OPEN)
    await asyncio.gather(
        *(rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=rules) for _ in range(8))
    )
    assert sorted(event.version for event in rig.emitted(AvailabilityRulesSet)) == list(range(1, 9))


async def test_hours_of_another_account_cannot_be_set(rig: Rig) -> None:
    provider = await rig.provider()
    with pytest.raises(ProviderNotFound):
        await rig.service.set_rules(
            owner_id=uuid7(), provider_id=provider.id, rules=AvailabilityRules(timezone="UTC", weekly=[])
        )


async def test_a_provider_without_hours_or_services_has_no_free_times(rig: Rig) -> None:
    day = (await rig.tomorrow()).date()
    without_hours = rig.catalog.add_provider(timezone="Europe/Oslo")
    rig.catalog.add_service(without_hours)
    without_services = await rig.provider()
    for provider in (without_hours, without_services):
        found = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
        assert (found.timezone, found.slots) == (provider.timezone, [])


async def test_slots_have_the_length_of_the_asked_or_the_shortest_service(rig: Rig) -> None:
    provider = await rig.provider()
    long = rig.catalog.add_service(provider, duration_minutes=120)
    rig.catalog.add_service(provider, duration_minutes=45)
    day = (await rig.tomorrow()).date()
    for service_id, minutes in ((None, 45), (long.service_id, 120)):
        found = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=service_id)
        assert {slot.ends_at - slot.starts_at for slot in found.slots} == {timedelta(minutes=minutes)}


async def test_every_listed_start_can_be_held_and_is_then_listed_no_more(rig: Rig) -> None:
    hours = [WeeklyHours(weekday=day, start=time(9), end=time(12)) for day in range(7)]
    offer = rig.catalog.add_service(await rig.provider(timezone="America/St_Johns", weekly=hours))
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
    rig.catalog.add_service(provider)
    day = (await rig.tomorrow()).date()
    listed = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
    assert listed.slots
    rig.catalog.providers[provider.id] = provider.model_copy(update={"status": status})
    with pytest.raises(ProviderNotFound):
        await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
