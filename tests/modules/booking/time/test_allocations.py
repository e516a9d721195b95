"""Taking a time or giving it back invalidates the cached free times of the provider."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest

from fairground.contracts.booking import BookingView
from fairground.contracts.booking.availability import tags_of_time
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


class RecordedInvalidations:
    """Keeps the tags that each transaction invalidates."""

    def __init__(self) -> None:
        self.tags: set[str] = set()

    async def enqueue(self, _tx: Any, tags: Collection[str]) -> Collection[str]:
        return tags

    async def apply(self, job: Collection[str]) -> None:
        self.tags.update(job)


def _tags(booking: BookingView) -> set[str]:
    return {
        tag
        for provider in (booking.provider_id, booking.provider_slug)
        for tag in tags_of_time(provider, starts_at=booking.starts_at, ends_at=booking.ends_at)
    }


async def _cancel(rig: Rig, booking: BookingView) -> None:
    await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)


async def _decline(rig: Rig, booking: BookingView) -> None:
    await rig.service.decline(owner_id=rig.owner(booking), booking_id=booking.id, reason=None)


async def _expire(rig: Rig, _booking: BookingView) -> None:
    rig.pass_time(days=6)
    await rig.parts.expiry.expire_lapsed()


@pytest.mark.parametrize("end", [_cancel, _decline, _expire])
async def test_ending_a_booking_invalidates_the_cached_times_around_it(
    rig: Rig, end: Callable[[Rig, BookingView], Awaitable[None]]
) -> None:
    booking = await rig.request()
    rig.db.invalidation = invalidation = RecordedInvalidations()
    await end(rig, booking)
    assert _tags(booking) <= invalidation.tags


async def test_hold_invalidates_the_cached_times_around_it(rig: Rig) -> None:
    offer = await rig.offer()
    rig.db.invalidation = invalidation = RecordedInvalidations()
    booking = await rig.hold(offer)
    assert _tags(booking) <= invalidation.tags
