"""The sweep that ends lapsed holds goes on behind a booking that it cannot read."""

from typing import Any

import pytest
import structlog

from fairground.contracts.booking import BookingStatus, BookingView, SlotTaken
from fairground.modules.booking.deals import expiry, store
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.jobs.lifecycle import LostLease
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def _lapsed(rig: Rig, *, unreadable: int, readable: int) -> tuple[list[BookingView], list[BookingView]]:
    """Return holds that have lapsed, those that cannot be read first."""
    broken = [await rig.hold(await rig.offer()) for _ in range(unreadable)]
    for booking in broken:
        await rig.store_policy(booking.id, {"steps": "none"})
    whole = [await rig.hold(await rig.offer()) for _ in range(readable)]
    rig.pass_time(minutes=11)
    return broken, whole


async def test_unreadable_booking_stops_no_other_expiry(rig: Rig) -> None:
    (broken,), (whole,) = await _lapsed(rig, unreadable=1, readable=1)
    with structlog.testing.capture_logs() as events:
        await rig.parts.expiry.expire_lapsed()
    assert await rig.status(whole) is BookingStatus.EXPIRED
    assert [event["booking_id"] for event in events if event["event"] == "booking.not_expired"] == [str(broken.id)]


async def test_sweep_goes_on_behind_a_whole_batch_of_unreadable_bookings(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "_SWEEP_AT_ONCE", 2)
    _, whole = await _lapsed(rig, unreadable=3, readable=2)
    await rig.parts.expiry.expire_lapsed()
    assert [await rig.status(booking) for booking in whole] == [BookingStatus.EXPIRED] * 2


async def test_sweep_goes_on_among_holds_that_lapse_at_the_same_instant(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "_SWEEP_AT_ONCE", 2)
    broken, whole = await _lapsed(rig, unreadable=3, readable=2)
    async with rig.db.write() as tx:
        now = await tx.current_time()
        for booking in (*broken, *whole):
            assert await time_store.keep_until(tx, booking_id=booking.id, expires_at=now)
    await rig.parts.expiry.expire_lapsed()
    assert [await rig.status(booking) for booking in whole] == [BookingStatus.EXPIRED] * 2


@pytest.mark.parametrize("error", [DatabaseUnavailable("The database did not answer."), LostLease()])
async def test_sweep_stops_where_nothing_can_be_written(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _, whole = await _lapsed(rig, unreadable=0, readable=2)
    asked: list[Any] = []

    async def fail(_tx: Any, *, booking_id: Any) -> None:
        asked.append(booking_id)
        raise error

    monkeypatch.setattr(store, "lock_booking", fail)
    with pytest.raises(type(error)):
        await rig.parts.expiry.expire_lapsed()
    assert asked == [whole[0].id]


async def test_unreadable_lapsed_hold_in_the_way_is_a_taken_time(rig: Rig) -> None:
    (broken,), _ = await _lapsed(rig, unreadable=1, readable=0)
    offer = rig.providers.offers[broken.service_id]
    with pytest.raises(SlotTaken):
        await rig.hold(offer, starts_at=broken.starts_at)


async def test_stored_policy_of_a_newer_version_is_read(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    steps = [{"at_least_hours": 1, "refund_percent": 50, "since": "2027"}]
    await rig.store_policy(booking.id, {"steps": steps, "insurance": "2027"})
    seen = await rig.service.get_booking(user_id=booking.customer_id, booking_id=booking.id)
    assert seen.cancellation is not None
    assert seen.cancellation.refund_minor == 2500
