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
    SlotTaken,
)
from fairground.contracts.providers import Offer
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
    assert [event.provider_completed_count for event in rig.emitted(BookingCompleted)] == [1, 2, 3]


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
