"""Holding a time: what is refused, and what becomes of a hold that is not paid for."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from fairground.contracts.booking import (
    BookingExpired,
    BookingHeld,
    BookingStatus,
    BookingView,
    DetailsInvalid,
    NextStep,
    NotBookable,
    NotOffered,
    OwnService,
    PriceChanged,
    SlotTaken,
    TooManyHolds,
)
from fairground.contracts.providers import ServiceNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.transitions import ExpireBooking, ReleasePayment
from fairground.platform.db.database import WriteTx
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_hold_lasts_ten_minutes_copies_the_terms_and_asks_no_payment(rig: Rig) -> None:
    offer = await rig.offer(price_minor=4200, duration_minutes=90)
    starts_at = await rig.tomorrow()
    booking = await rig.hold(offer, starts_at=starts_at, note="  Chapter 3 ", place="online")
    assert (booking.status, booking.side) == (BookingStatus.HELD, "customer")
    assert (booking.starts_at, booking.ends_at) == (starts_at, starts_at + timedelta(minutes=90))
    assert (booking.total_minor, booking.currency, booking.note, booking.place) == (4200, "EUR", "Chapter 3", "online")
    assert booking.expires_at is not None
    assert timedelta(minutes=9, seconds=55) < booking.expires_at - await rig.now() <= timedelta(minutes=10)
    assert booking.next_steps == [NextStep.PAY, NextStep.CANCEL]
    assert rig.payments.calls == []
    assert [event.booking_id for event in rig.emitted(BookingHeld)] == [booking.id]


@pytest.mark.parametrize("shift_minutes", [-30, 0, 30])
async def test_a_time_that_overlaps_a_live_hold_is_taken(rig: Rig, shift_minutes: int) -> None:
    offer = await rig.offer()
    await rig.hold(offer)
    with pytest.raises(SlotTaken):
        await rig.hold(offer, starts_at=await rig.tomorrow() + timedelta(minutes=shift_minutes))


async def test_the_times_before_and_after_a_hold_are_free(rig: Rig) -> None:
    offer = await rig.offer()
    await rig.hold(offer)
    for hour in (9, 11):
        assert (await rig.hold(offer, starts_at=await rig.tomorrow(hour))).status is BookingStatus.HELD


@pytest.mark.parametrize("minutes", [7, 15])
async def test_a_start_off_the_grid_is_not_offered(rig: Rig, minutes: int) -> None:
    with pytest.raises(NotOffered):
        await rig.hold(await rig.offer(), starts_at=await rig.tomorrow() + timedelta(minutes=minutes))


async def test_too_soon_too_late_and_the_ends_of_time_are_not_offered(rig: Rig) -> None:
    offer, now = await rig.offer(), await rig.now()
    for starts_at in (now.replace(minute=0, second=0, microsecond=0), now + timedelta(days=400)):
        with pytest.raises(NotOffered):
            await rig.hold(offer, starts_at=starts_at)
    for year in (1, 9999):
        with pytest.raises(NotOffered):
            await rig.hold(offer, starts_at=now.replace(year=year, month=1, day=1))


async def test_lapsed_hold_gives_way_to_the_next_customer_before_the_sweep(rig: Rig) -> None:
    offer = await rig.offer()
    first = await rig.hold(offer)
    rig.pass_time(minutes=11)
    second = await rig.hold(offer, starts_at=first.starts_at)
    assert second.status is BookingStatus.HELD
    assert await rig.status(first) is BookingStatus.EXPIRED
    assert [event.booking_id for event in rig.emitted(BookingExpired)] == [first.id]
    assert ReleasePayment(booking_id=first.id) in rig.outbox.jobs


async def test_the_expiry_job_ends_a_lapsed_hold_and_only_a_lapsed_one(rig: Rig) -> None:
    booking = await rig.hold(await rig.offer())
    await rig.run_jobs(ExpireBooking)
    assert await rig.status(booking) is BookingStatus.HELD
    assert ExpireBooking(booking_id=booking.id, was=BookingStatus.HELD) in rig.outbox.jobs, "It looks again later."
    rig.pass_time(minutes=10)
    await rig.run_jobs(ExpireBooking)
    assert await rig.status(booking) is BookingStatus.EXPIRED


async def test_the_sweep_ends_what_lapsed_without_a_job(rig: Rig) -> None:
    booking = await rig.hold(await rig.offer())
    await rig.parts.expiry.expire_lapsed()
    assert await rig.status(booking) is BookingStatus.HELD
    rig.pass_time(minutes=10)
    await rig.parts.expiry.expire_lapsed()
    assert await rig.status(booking) is BookingStatus.EXPIRED


async def test_hold_at_a_changed_price_is_refused_with_the_new_total(rig: Rig) -> None:
    with pytest.raises(PriceChanged) as changed:
        await rig.hold(await rig.offer(price_minor=5000), expected_total_minor=4900)
    assert changed.value.context["total_minor"] == 5000


async def test_an_expected_price_is_held(rig: Rig) -> None:
    booking = await rig.hold(await rig.offer(price_minor=5000), expected_total_minor=5000)
    assert booking.total_minor == 5000


async def test_owner_cannot_hold_their_own_service(rig: Rig) -> None:
    offer = await rig.offer()
    with pytest.raises(OwnService):
        await rig.hold(offer, customer_id=offer.owner_id)


async def test_an_unclaimed_provider_cannot_be_booked(rig: Rig) -> None:
    offer = rig.providers.add_service(rig.providers.add_provider(is_claimed=False))
    with pytest.raises(NotBookable):
        await rig.hold(offer)


async def test_an_unknown_service_is_not_found(rig: Rig) -> None:
    with pytest.raises(ServiceNotFound):
        await rig.service.hold(customer_id=uuid7(), service_id=uuid7(), starts_at=await rig.now())


@pytest.mark.parametrize(
    "details", [{"place": "moon"}, {"party_size": 31}, {"note": "x" * 2001}, {"note": "a\x00b"}, {"note": "\ud800"}]
)
async def test_details_that_the_vertical_does_not_allow_are_refused(rig: Rig, details: dict[str, Any]) -> None:
    with pytest.raises(DetailsInvalid):
        await rig.hold(await rig.offer(), **details)


@pytest.mark.parametrize(("party_size", "is_allowed"), [(1, True), (200, True), (201, False), (0, False)])
async def test_the_party_fits_the_bounds_of_the_vertical(rig: Rig, party_size: int, *, is_allowed: bool) -> None:
    offer = rig.providers.add_service(await rig.provider(vertical="chefs"), duration_minutes=120)
    if is_allowed:
        assert (await rig.hold(offer, party_size=party_size)).party_size == party_size
    else:
        with pytest.raises(DetailsInvalid):
            await rig.hold(offer, party_size=party_size)


async def test_a_fourth_live_hold_is_refused_until_one_lapses(rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    for hour in (8, 10, 12):
        await rig.hold(offer, customer_id=customer_id, starts_at=await rig.tomorrow(hour))
    fourth = await rig.tomorrow(14)
    with pytest.raises(TooManyHolds) as refused:
        await rig.hold(offer, customer_id=customer_id, starts_at=fourth)
    assert 590 <= refused.value.retry_after_seconds <= 601
    rig.pass_time(minutes=10)
    assert (await rig.hold(offer, customer_id=customer_id, starts_at=fourth)).status is BookingStatus.HELD


async def test_other_task_progresses_during_refused_holds(rig: Rig) -> None:
    offer, starts_at, rounds = await rig.offer(), await rig.tomorrow(), 0

    async def count_rounds() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    await rig.hold(offer, starts_at=starts_at)
    counting = asyncio.create_task(count_rounds())
    for _ in range(200):
        with pytest.raises(SlotTaken):
            await rig.hold(offer, starts_at=starts_at)
    counting.cancel()
    assert rounds > 100


async def _hold_twelve_at_once(rig: Rig) -> list[object]:
    customer_id, offers = uuid7(), [await rig.offer() for _ in range(12)]
    starts_at = await rig.tomorrow()
    return await asyncio.gather(
        *(rig.hold(offer, customer_id=customer_id, starts_at=starts_at) for offer in offers), return_exceptions=True
    )


async def test_twelve_holds_at_once_leave_a_customer_with_three(rig: Rig) -> None:
    outcomes = await _hold_twelve_at_once(rig)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(error) for error in refused] == [TooManyHolds] * 9


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_without_the_lock_a_customer_holds_more_than_three(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave_unlocked(_tx: WriteTx, *, customer_id: UUID) -> None:
        pass

    count, four = store.count_live_holds, asyncio.Barrier(4)

    async def count_beside_three_others(tx: WriteTx, *, customer_id: UUID) -> store.LiveHolds:
        counted = await count(tx, customer_id=customer_id)
        await four.wait()
        return counted

    monkeypatch.setattr(store, "lock_customer", leave_unlocked)
    monkeypatch.setattr(store, "count_live_holds", count_beside_three_others)
    outcomes = await _hold_twelve_at_once(rig)
    assert sum(isinstance(outcome, BookingView) for outcome in outcomes) > 3


async def test_a_hold_stores_what_the_clock_on_the_wall_shows(rig: Rig) -> None:
    provider = await rig.provider(timezone="Asia/Kathmandu")
    booking = await rig.hold(
        rig.providers.add_service(provider), starts_at=await rig.tomorrow() + timedelta(minutes=15)
    )
    async with rig.db.read() as tx:
        row = await tx.one_or_none(text("SELECT starts_wall, timezone, starts_fold FROM booking_booking"))
    assert row.starts_wall == f"{booking.starts_at:%Y-%m-%d}T16:00"
    assert (row.timezone, row.starts_fold) == ("Asia/Kathmandu", 0)
