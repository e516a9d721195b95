"""Bookings that were made elsewhere come along as completed ones."""

from datetime import timedelta

import pytest

from fairground.contracts.booking import (
    BookingCompleted,
    BookingStatus,
    DetailsInvalid,
    NextStep,
    OwnService,
    PastBooking,
    PastBookingsRecorded,
    SlotTaken,
)
from fairground.contracts.providers import BookingMode, Offer
from fairground.contracts.reviews import PastReviewsRecorded, ReviewSide
from fairground.kernel.ids import uuid7
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def past(rig: Rig, offer: Offer, *, days_ago: int) -> PastBooking:
    starts_at = await rig.tomorrow() - timedelta(days=days_ago + 2)
    return PastBooking(customer_id=uuid7(), service_id=offer.service_id, starts_at=starts_at, note="Brought along.")


async def test_a_history_is_completed_counted_and_open_for_reviews(rig: Rig) -> None:
    offer = await rig.offer()
    brought = [await past(rig, offer, days_ago=days) for days in (30, 20, 10)]
    ids = await rig.service.record_past_bookings(bookings=brought)
    views = [
        await rig.service.get_booking(user_id=each.customer_id, booking_id=booking_id)
        for each, booking_id in zip(brought, ids, strict=True)
    ]
    assert [view.starts_at for view in views] == [each.starts_at for each in brought]
    assert {view.status for view in views} == {BookingStatus.COMPLETED}
    assert [view.next_steps for view in views] == [[NextStep.REVIEW]] * 3
    assert rig.emitted(PastBookingsRecorded) == [PastBookingsRecorded(completed_counts={offer.provider_id: 3})]
    assert not rig.emitted(BookingCompleted)
    await rig.service.record_past_bookings(bookings=[await past(rig, offer, days_ago=40)])
    assert rig.emitted(PastBookingsRecorded)[-1].completed_counts == {offer.provider_id: 4}


async def test_recorded_booking_is_stored_as_one_that_took_place_here(rig: Rig) -> None:
    offer = await rig.offer(mode=BookingMode.INSTANT)
    [recorded_id] = await rig.service.record_past_bookings(bookings=[await past(rig, offer, days_ago=5)])
    recorded = await rig.service.describe_booking(booking_id=recorded_id)
    booking = await rig.pay(await rig.hold(offer))
    rig.pass_time(days=4)
    completed = await rig.service.complete(user_id=booking.customer_id, booking_id=booking.id)
    own = {"id", "customer_id", "starts_at", "ends_at", "created_at", "note", "place"}
    ours = await rig.service.describe_booking(booking_id=completed.id)
    assert recorded.model_dump(exclude=own) == ours.model_dump(exclude=own)
    assert recorded.note == "Brought along."


async def test_a_history_that_overlaps_a_known_booking_is_refused_whole(rig: Rig) -> None:
    offer = await rig.offer()
    known = await past(rig, offer, days_ago=10)
    await rig.service.record_past_bookings(bookings=[known])
    overlapping = known.model_copy(update={"starts_at": known.starts_at - timedelta(minutes=30)})
    other = await past(rig, offer, days_ago=3)
    with pytest.raises(SlotTaken, match=f"{overlapping.starts_at:%Y-%m-%d %H:%M}|{known.starts_at:%Y-%m-%d %H:%M}"):
        await rig.service.record_past_bookings(bookings=[other, overlapping])
    adjoining = known.model_copy(update={"starts_at": known.starts_at - timedelta(minutes=60)})
    assert len(await rig.service.record_past_bookings(bookings=[adjoining, other])) == 2


async def test_reviews_that_come_along_are_no_next_steps(rig: Rig) -> None:
    offer = await rig.offer()
    brought = [await past(rig, offer, days_ago=days) for days in (30, 20)]
    first, second = await rig.service.record_past_bookings(bookings=brought)
    reviewed = {ReviewSide.CUSTOMER: [first], ReviewSide.PROVIDER: [second]}
    await rig.handlers[PastReviewsRecorded](PastReviewsRecorded(ratings={}, booking_ids=reviewed))
    views = [
        await rig.service.get_booking(user_id=each.customer_id, booking_id=booking_id)
        for each, booking_id in zip(brought, (first, second), strict=True)
    ]
    assert [view.next_steps for view in views] == [[], [NextStep.REVIEW]]


async def test_a_history_that_overlaps_itself_is_refused_whole(rig: Rig) -> None:
    offer = await rig.offer()
    brought = [await past(rig, offer, days_ago=10), await past(rig, offer, days_ago=10)]
    with pytest.raises(SlotTaken):
        await rig.service.record_past_bookings(bookings=brought)
    page = await rig.service.list_bookings(
        user_id=rig.providers.providers[offer.provider_id].owner_id or uuid7(), side=None, status=None, page=1, limit=9
    )
    assert page.total == 0


async def test_what_has_not_ended_is_no_history(rig: Rig) -> None:
    with pytest.raises(DetailsInvalid):
        await rig.service.record_past_bookings(bookings=[await past(rig, await rig.offer(), days_ago=-5)])


async def test_owner_cannot_record_past_bookings_of_themselves(rig: Rig) -> None:
    offer = await rig.offer()
    own = (await past(rig, offer, days_ago=5)).model_copy(update={"customer_id": offer.owner_id})
    with pytest.raises(OwnService):
        await rig.service.record_past_bookings(bookings=[own])


@pytest.mark.parametrize(("ended_minutes_ago", "is_refused"), [(-59, True), (-30, True), (-1, True), (1, False)])
async def test_booking_that_has_begun_is_no_history_before_it_has_ended(
    rig: Rig, ended_minutes_ago: int, *, is_refused: bool
) -> None:
    offer = await rig.offer(duration_minutes=60)
    starts_at = await rig.now() - timedelta(minutes=60 + ended_minutes_ago)
    brought = [PastBooking(customer_id=uuid7(), service_id=offer.service_id, starts_at=starts_at)]
    if is_refused:
        with pytest.raises(DetailsInvalid):
            await rig.service.record_past_bookings(bookings=brought)
    else:
        assert len(await rig.service.record_past_bookings(bookings=brought)) == 1
