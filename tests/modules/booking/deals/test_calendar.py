"""The bookings of some days of a provider, as a calendar shows them."""

from datetime import datetime, timedelta

import pytest

from fairground.contracts.booking import CALENDAR_MAX_DAYS, BookingRange, BookingView, DetailsInvalid
from fairground.contracts.providers import BookingMode
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals import queries
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def between(rig: Rig, booking: BookingView, start: datetime, end: datetime) -> BookingRange:
    return await rig.service.list_bookings_between(owner_id=rig.owner(booking), starts_at=start, ends_at=end)


async def test_bookings_that_overlap_the_time_are_listed_by_their_start(rig: Rig) -> None:
    offer = await rig.offer(mode=BookingMode.INSTANT)
    start = await rig.tomorrow(hour=10)
    for hours in (4, 0, 2):
        last = await rig.pay(await rig.hold(offer, starts_at=start + hours * HOUR))
    await rig.hold(offer, starts_at=start + 6 * HOUR)
    cancelled = await rig.pay(await rig.hold(offer, starts_at=start + 8 * HOUR))
    await rig.service.cancel(user_id=cancelled.customer_id, booking_id=cancelled.id)

    async def starts(first: datetime, end: datetime) -> list[float]:
        return [(booking.starts_at - start) / HOUR for booking in (await between(rig, last, first, end)).data]

    assert await starts(start, start + 24 * HOUR) == [0, 2, 4], "Holds and cancelled bookings are left out."
    assert await starts(start + HOUR / 2, start + 2 * HOUR) == [0], "One that has begun is in it, a later one is not."
    assert await starts(start + HOUR, start + 2 * HOUR) == [], "One that ends as the time begins is not in it."
    assert await starts(start + 3 * HOUR, start + 5 * HOUR) == [4]


async def test_calendar_has_no_booking_of_another_owner(rig: Rig) -> None:
    booking = await rig.confirmed()
    range_ = await rig.service.list_bookings_between(
        owner_id=uuid7(), starts_at=booking.starts_at, ends_at=booking.ends_at
    )
    assert range_ == BookingRange(data=[], is_cut=False)


async def test_calendar_with_too_many_bookings_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = await rig.offer(mode=BookingMode.INSTANT)
    start = await rig.tomorrow(hour=10)
    bookings = [await rig.pay(await rig.hold(offer, starts_at=start + hours * HOUR)) for hours in range(3)]
    for most, is_cut in ((2, True), (3, False)):
        monkeypatch.setattr(queries, "CALENDAR_MAX_BOOKINGS", most)
        found = await between(rig, bookings[0], start, start + 24 * HOUR)
        assert (len(found.data), found.is_cut) == (most, is_cut)


@pytest.mark.parametrize("days", [0, -1, CALENDAR_MAX_DAYS + 1])
async def test_calendar_of_no_days_or_too_many_is_refused(rig: Rig, days: int) -> None:
    start = await rig.now()
    with pytest.raises(DetailsInvalid, match="62 days"):
        await rig.service.list_bookings_between(owner_id=uuid7(), starts_at=start, ends_at=start + timedelta(days=days))
