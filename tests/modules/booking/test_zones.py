"""A provider has one zone: hours keep their wall times in it, and bookings their instants."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import structlog

from fairground.contracts.booking import AvailabilityRules, AvailabilitySummarySet, RulesInvalid, WeeklyHours
from fairground.contracts.providers import BookingMode, ProviderRef, ProviderTimezoneSet
from fairground.kernel.zones import get_zone
from tests.modules.booking.rig import Rig, owner_of

pytestmark = pytest.mark.anyio

NINE_TO_TWELVE = [WeeklyHours(weekday=day, start=time(9), end=time(12)) for day in range(7)]
NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"


def change_of(provider: ProviderRef, timezone: str, *, version: int) -> ProviderTimezoneSet:
    return ProviderTimezoneSet(provider_id=provider.id, slug=provider.slug, timezone=timezone, version=version)


async def wall_times(rig: Rig, provider: ProviderRef, day: date) -> tuple[str, list[str]]:
    found = await rig.service.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=None)
    zone = get_zone(found.timezone)
    return found.timezone, [f"{slot.starts_at.astimezone(zone):%Y-%m-%d %H:%M}" for slot in found.slots]


async def provider_of(rig: Rig) -> tuple[ProviderRef, date]:
    """Return a provider in New York who works from nine to twelve, and a day that can be booked in any zone."""
    provider = await rig.provider(timezone=NEW_YORK, weekly=NINE_TO_TWELVE)
    rig.providers.add_service(provider, mode=BookingMode.INSTANT)
    return provider, (await rig.now()).date() + timedelta(days=4)


async def book(rig: Rig, provider: ProviderRef, at: datetime) -> Any:
    [offer] = [offer for offer in rig.providers.offers.values() if offer.provider_id == provider.id]
    return await rig.hold(offer, starts_at=at)


async def test_hours_keep_their_wall_times_in_a_new_zone(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    expected = [f"{day} {clock}" for clock in ("09:00", "09:30", "10:00", "10:30", "11:00")]
    assert await wall_times(rig, provider, day) == (NEW_YORK, expected)
    await rig.parts.schedules.follow_timezone(change_of(provider, TOKYO, version=2))
    assert await wall_times(rig, provider, day) == (TOKYO, expected)


async def test_zone_of_an_older_or_repeated_change_is_ignored(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    for timezone, version in ((TOKYO, 3), ("Europe/Oslo", 2), ("Europe/Paris", 3), ("UTC", 1)):
        await rig.parts.schedules.follow_timezone(change_of(provider, timezone, version=version))
        assert (await wall_times(rig, provider, day))[0] == TOKYO


async def test_change_before_the_first_hours_is_kept_when_they_are_set_by_an_older_answer(rig: Rig) -> None:
    provider = rig.providers.add_provider(timezone=NEW_YORK)
    rig.providers.add_service(provider)
    await rig.parts.schedules.follow_timezone(change_of(provider, TOKYO, version=2))
    rules = AvailabilityRules(timezone=NEW_YORK, weekly=NINE_TO_TWELVE)
    await rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=rules)
    assert (await wall_times(rig, provider, (await rig.now()).date() + timedelta(days=4)))[0] == TOKYO


async def test_booking_keeps_its_instant_and_its_zone(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    starts_at = datetime.combine(day, time(9), tzinfo=get_zone(NEW_YORK))
    booking = await book(rig, provider, starts_at)
    await rig.parts.schedules.follow_timezone(change_of(provider, TOKYO, version=2))
    kept = await rig.service.describe_booking(booking_id=booking.id)
    assert (kept.starts_at, kept.timezone) == (starts_at, NEW_YORK)


async def test_live_bookings_ahead_at_another_wall_time_are_listed_by_their_start(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    zone = get_zone(NEW_YORK)
    starts = [datetime.combine(day + timedelta(days=number), time(10), tzinfo=zone) for number in (2, 0, 1, 3)]
    late, early, cancelled, lapsed = [await book(rig, provider, at) for at in starts]
    for booking in (late, early):
        await rig.pay(booking)
    await rig.service.cancel(user_id=cancelled.customer_id, booking_id=cancelled.id)
    rig.pass_time(minutes=11)
    assert lapsed.status == "held"
    listed = await rig.parts.schedules.list_bookings_at_other_times(provider_id=provider.id, timezone=TOKYO)
    assert [each.booking_id for each in listed] == [early.id, late.id]
    first = listed[0]
    in_tokyo = early.starts_at.astimezone(get_zone(TOKYO))
    assert (first.timezone, first.wall_time) == (NEW_YORK, f"{day}T10:00")
    assert (first.new_timezone, first.new_wall_time) == (TOKYO, f"{in_tokyo:%Y-%m-%dT%H:%M}")
    rig.pass_time(days=5, hours=12)
    listed = await rig.parts.schedules.list_bookings_at_other_times(provider_id=provider.id, timezone=TOKYO)
    assert [each.booking_id for each in listed] == [late.id], "The first one has ended."


async def test_unreadable_booking_is_logged_and_hides_no_other_from_a_zone_change(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    starts = [
        datetime.combine(day + timedelta(days=number), time(10), tzinfo=get_zone(NEW_YORK)) for number in range(3)
    ]
    first, unreadable, last = [await book(rig, provider, at) for at in starts]
    await rig.store_policy(unreadable.id, {"steps": "none"})
    with structlog.testing.capture_logs() as events:
        listed = await rig.parts.schedules.list_bookings_at_other_times(provider_id=provider.id, timezone=TOKYO)
    assert [each.booking_id for each in listed] == [first.id, last.id]
    logged = [event["booking_id"] for event in events if event["event"] == "booking.unreadable"]
    assert logged == [str(unreadable.id)]


async def test_zone_with_the_same_wall_times_lists_nothing(rig: Rig) -> None:
    provider, day = await provider_of(rig)
    await book(rig, provider, datetime.combine(day, time(10), tzinfo=get_zone(NEW_YORK)))
    assert await rig.parts.schedules.list_bookings_at_other_times(provider_id=provider.id, timezone="US/Eastern") == []
    assert await rig.parts.schedules.list_bookings_at_other_times(provider_id=provider.id, timezone=TOKYO) != []


async def test_availability_summary_is_published_in_the_new_zone(rig: Rig) -> None:
    provider, _ = await provider_of(rig)
    await rig.handlers[ProviderTimezoneSet](change_of(provider, TOKYO, version=2))
    announced = rig.emitted(AvailabilitySummarySet)[-1]
    assert (announced.timezone, announced.week) == (TOKYO, [time(11)] * 7)


async def test_hours_in_another_zone_than_the_provider_are_refused(rig: Rig) -> None:
    provider, _ = await provider_of(rig)
    rules = AvailabilityRules(timezone=TOKYO, weekly=[])
    with pytest.raises(RulesInvalid, match=r"Asia/Tokyo.*America/New_York") as refused:
        await rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=rules)
    assert f"PATCH /api/v1/service-provider-profiles/{provider.id}" in refused.value.hint
    assert (await rig.service.get_rules(provider_id=provider.id)).weekly == NINE_TO_TWELVE
