"""A second request of the same customer for the same time is answered by the booking that takes it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.booking import (
    AlreadyBooked,
    AvailabilityRules,
    BookingHeld,
    BookingStatus,
    BookingView,
    NotOffered,
    PriceChanged,
    SlotTaken,
)
from fairground.contracts.providers import BookingMode, Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals import store
from fairground.modules.booking.time import slots
from fairground.platform.db.database import WriteTx
from tests.modules.booking.rig import Rig, owner_of
from tests.support.addresses import HOME

pytestmark = pytest.mark.anyio


async def test_second_hold_of_same_slot_returns_live_hold(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, note="Chapter 3", place="online")
    again = await rig.hold(offer, customer_id=customer_id, note="Chapter 3", place="online")
    assert again == first
    assert [event.booking_id for event in rig.emitted(BookingHeld)] == [first.id]


async def test_hold_of_a_time_that_an_unreadable_own_booking_takes_is_refused(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    first = await rig.hold(offer, customer_id=customer_id)
    await rig.store_policy(first.id, {"steps": "none"})
    with pytest.raises(SlotTaken) as refused:
        await rig.hold(offer, customer_id=customer_id)
    assert refused.value.code == "booking.slot_taken"


async def test_second_hold_with_other_details_changes_the_live_hold(rig: Rig) -> None:
    offer, customer_id = await rig.offer(places=["online", "customer"]), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, note="Chapter 3", place="online")
    details: dict[str, Any] = {"note": "Chapter 4", "place": "customer", "address": HOME, "phone": "+47 22 00 00 00"}
    again = await rig.hold(offer, customer_id=customer_id, **details)
    assert (again.id, again.expires_at) == (first.id, first.expires_at)
    stored = await rig.service.get_booking(user_id=customer_id, booking_id=first.id)
    for shown in (again, stored):
        assert {name: getattr(shown, name) for name in details} == details


async def test_third_hold_may_be_repeated_at_the_limit(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    held = [await rig.hold(offer, customer_id=customer_id, starts_at=await rig.tomorrow(hour)) for hour in (8, 10, 12)]
    again = await rig.hold(offer, customer_id=customer_id, starts_at=held[-1].starts_at)
    assert again == held[-1]


async def test_repeated_hold_keeps_the_price_it_was_made_at(rig: Rig) -> None:
    offer, customer_id = await rig.offer(price_minor=5000), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, expected_total_minor=5000)
    rig.providers.offers[offer.service_id] = offer.model_copy(update={"price_minor": 6000})
    again = await rig.hold(offer, customer_id=customer_id, expected_total_minor=5000)
    assert (again.id, again.total_minor) == (first.id, 5000)
    with pytest.raises(PriceChanged) as changed:
        await rig.hold(offer, customer_id=customer_id, expected_total_minor=6000)
    assert changed.value.context["total_minor"] == 5000


async def test_hold_whose_hours_were_withdrawn_is_still_returned(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    first = await rig.hold(offer, customer_id=customer_id)
    provider = rig.providers.providers[offer.provider_id]
    closed = AvailabilityRules(timezone="UTC", weekly=[])
    await rig.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=closed)
    assert (await rig.hold(offer, customer_id=customer_id)).id == first.id
    with pytest.raises(NotOffered):
        await rig.hold(offer)


async def test_lapsed_hold_is_not_returned(rig: Rig) -> None:
    offer, customer_id, starts_at = await rig.offer(), uuid7(), await rig.tomorrow()
    first = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
    rig.pass_time(minutes=11)
    again = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
    assert again.id != first.id
    assert await rig.status(first) is BookingStatus.EXPIRED


async def test_hold_that_lapses_while_it_is_repeated_is_not_returned(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    offer, customer_id, starts_at = await rig.offer(), uuid7(), await rig.tomorrow()
    await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
    find = store.find_own_id

    async def find_and_pass_time(tx: WriteTx, **options: Any) -> UUID | None:
        found = await find(tx, **options)
        tx.clock_shift += timedelta(minutes=11)  # a transaction takes the shift of its beginning
        return found

    monkeypatch.setattr(store, "find_own_id", find_and_pass_time)
    with pytest.raises(SlotTaken) as refused:
        await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
    assert type(refused.value) is SlotTaken


@pytest.mark.parametrize(
    ("mode", "status"),
    [(BookingMode.REQUEST, BookingStatus.REQUESTED), (BookingMode.INSTANT, BookingStatus.CONFIRMED)],
)
async def test_hold_of_a_slot_booked_by_the_same_customer_names_that_booking(
    rig: Rig, mode: BookingMode, status: BookingStatus
) -> None:
    offer, customer_id = await rig.offer(mode=mode), uuid7()
    booked = await rig.pay(await rig.hold(offer, customer_id=customer_id))
    assert booked.status is status
    with pytest.raises(AlreadyBooked) as refused:
        await rig.hold(offer, customer_id=customer_id)
    assert refused.value.context == {"booking_id": str(booked.id), "status": status.value}
    assert refused.value.code == "booking.already_booked"


@pytest.mark.parametrize("shift_minutes", [-30, 30])
async def test_hold_that_overlaps_an_own_hold_names_that_booking(rig: Rig, shift_minutes: int) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    first = await rig.hold(offer, customer_id=customer_id)
    with pytest.raises(AlreadyBooked) as refused:
        await rig.hold(offer, customer_id=customer_id, starts_at=first.starts_at + timedelta(minutes=shift_minutes))
    assert refused.value.context["booking_id"] == str(first.id)


async def test_another_service_at_the_same_start_names_the_own_hold(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    other = rig.providers.add_service(rig.providers.providers[offer.provider_id], duration_minutes=90)
    first = await rig.hold(offer, customer_id=customer_id)
    with pytest.raises(AlreadyBooked) as refused:
        await rig.hold(other, customer_id=customer_id)
    assert refused.value.context["booking_id"] == str(first.id)


async def test_hold_of_another_customer_is_not_disclosed(rig: Rig) -> None:
    offer = await rig.offer()
    await rig.hold(offer)
    with pytest.raises(SlotTaken) as refused:
        await rig.hold(offer)
    assert (type(refused.value), dict(refused.value.context)) == (SlotTaken, {})


@pytest.mark.parametrize("starts_at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
async def test_ends_of_time_are_not_offered_to_an_own_hold_either(rig: Rig, starts_at: datetime) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    await rig.hold(offer, customer_id=customer_id)
    with pytest.raises(NotOffered):
        await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)


def look_before_either_claims(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two requests find the slot free before either of them claims it, where two transactions can overlap."""
    if rig.db.backend.ops.name == "sqlite":
        return  # its one writer lets the second request begin when the first one has claimed
    both_have_looked = asyncio.Barrier(2)
    find_offered = slots.find_offered

    async def find_and_wait(*arguments: Any, **options: Any) -> Any:
        seen = await find_offered(*arguments, **options)
        await both_have_looked.wait()
        return seen

    monkeypatch.setattr(slots, "find_offered", find_and_wait)


async def _hold_twice_at_once(rig: Rig, offer: Offer, customer_id: UUID) -> list[BookingView | BaseException]:
    starts_at = await rig.tomorrow()
    return await asyncio.gather(
        *(rig.hold(offer, customer_id=customer_id, starts_at=starts_at) for _ in range(2)), return_exceptions=True
    )


async def test_two_equal_holds_at_once_are_one_hold(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    look_before_either_claims(rig, monkeypatch)
    first, second = await _hold_twice_at_once(rig, await rig.offer(), uuid7())
    assert isinstance(first, BookingView)
    assert isinstance(second, BookingView)
    assert first.id == second.id


async def test_without_the_look_for_an_own_hold_one_of_two_equal_holds_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_none(*_: Any, **__: Any) -> None:
        return None

    look_before_either_claims(rig, monkeypatch)
    monkeypatch.setattr(store, "find_own_id", find_none)
    outcomes = await _hold_twice_at_once(rig, await rig.offer(), uuid7())
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BookingView", "SlotTaken"]
