"""Pages of bookings: every booking once, the latest start first, on one side or on both."""

from datetime import timedelta
from uuid import UUID

import pytest
import structlog

from fairground.contracts.booking import BookingPage, BookingStatus
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CursorInvalid, PageTooDeep
from fairground.modules.booking.deals import queries
from fairground.modules.booking.deals.rows import UnreadableBooking
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def _bookings_of_both_sides(rig: Rig) -> tuple[UUID, list[UUID]]:
    """Return a user with three bookings of their own and three of their customers, and all of them in order."""
    own, others = await rig.offer(), [await rig.offer() for _ in range(3)]
    assert own.owner_id is not None
    starts_at = await rig.tomorrow()
    made = [await rig.hold(offer, customer_id=own.owner_id, starts_at=starts_at) for offer in others]
    made += [await rig.hold(own, starts_at=starts_at + timedelta(hours=hours)) for hours in (0, 2, 4)]
    made.sort(key=lambda booking: (booking.starts_at, booking.id), reverse=True)
    return own.owner_id, [booking.id for booking in made]


async def _walk(rig: Rig, user_id: UUID, *, side: str | None = None, limit: int = 2) -> list[BookingPage]:
    pages = [await rig.service.list_bookings(user_id=user_id, side=side, status=None, limit=limit)]
    while pages[-1].next_cursor is not None:
        pages.append(
            await rig.service.list_bookings(
                user_id=user_id, side=side, status=None, limit=limit, page=7, cursor=pages[-1].next_cursor
            )
        )
    return pages


@pytest.mark.parametrize("limit", [1, 2, 4, 6, 7])
async def test_cursor_leads_through_the_bookings_of_both_sides(rig: Rig, limit: int) -> None:
    user_id, ordered = await _bookings_of_both_sides(rig)
    pages = await _walk(rig, user_id, limit=limit)
    assert [booking.id for page in pages for booking in page.data] == ordered
    assert {(page.total, page.total_is_lower_bound) for page in pages} == {(6, False)}
    assert len(pages) == -(-6 // limit)


async def test_pages_by_number_are_those_of_the_cursor(rig: Rig) -> None:
    user_id, ordered = await _bookings_of_both_sides(rig)
    pages = [
        await rig.service.list_bookings(user_id=user_id, side=None, status=None, page=number, limit=4)
        for number in (1, 2, 3)
    ]
    assert [[booking.id for booking in page.data] for page in pages] == [ordered[:4], ordered[4:], []]
    assert [page.next_cursor is None for page in pages] == [False, True, True]


@pytest.mark.parametrize("side", ["customer", "provider"])
async def test_one_side_lists_only_its_own_bookings(rig: Rig, side: str) -> None:
    user_id, _ = await _bookings_of_both_sides(rig)
    shown = [booking for page in await _walk(rig, user_id, side=side) for booking in page.data]
    assert len(shown) == 3
    assert {booking.side for booking in shown} == {side}


async def test_status_narrows_the_page_and_the_count(rig: Rig) -> None:
    user_id, ordered = await _bookings_of_both_sides(rig)
    await rig.service.cancel(user_id=user_id, booking_id=ordered[2])
    page = await rig.service.list_bookings(user_id=user_id, side=None, status=BookingStatus.CANCELLED, limit=5)
    assert ([booking.id for booking in page.data], page.total) == ([ordered[2]], 1)


async def test_count_ends_at_its_bound_and_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id, _ = await _bookings_of_both_sides(rig)
    for bound, counted in ((5, (5, True)), (6, (6, False))):
        monkeypatch.setattr(queries, "PAGED_AT_MOST", bound)
        page = await rig.service.list_bookings(user_id=user_id, side=None, status=None, limit=1)
        assert (page.total, page.total_is_lower_bound) == counted


async def test_page_behind_ten_thousand_bookings_and_strange_cursors_are_refused(rig: Rig) -> None:
    with pytest.raises(PageTooDeep):
        await rig.service.list_bookings(user_id=uuid7(), side=None, status=None, page=501, limit=20)
    with pytest.raises(CursorInvalid):
        await rig.service.list_bookings(user_id=uuid7(), side=None, status=None, limit=20, cursor="x")


@pytest.mark.parametrize("limit", [1, 2, 6])
async def test_unreadable_booking_is_logged_and_hides_no_other_one(rig: Rig, limit: int) -> None:
    user_id, ordered = await _bookings_of_both_sides(rig)
    unreadable = [ordered[1], ordered[-1]]
    for booking_id in unreadable:
        await rig.store_policy(booking_id, {"steps": "none"})
    with structlog.testing.capture_logs() as events:
        pages = await _walk(rig, user_id, limit=limit)
    shown = [booking.id for page in pages for booking in page.data]
    assert shown == [each for each in ordered if each not in unreadable]
    logged = [event["booking_id"] for event in events if event["event"] == "booking.unreadable"]
    assert logged == [str(booking_id) for booking_id in unreadable]


async def test_unreadable_booking_itself_is_an_error_that_names_it(rig: Rig) -> None:
    booking = await rig.hold(await rig.offer())
    await rig.store_policy(booking.id, {"steps": "none"})
    with pytest.raises(UnreadableBooking, match=str(booking.id)):
        await rig.service.get_booking(user_id=booking.customer_id, booking_id=booking.id)


async def test_side_says_when_a_booking_ended_and_whether_it_was_only_a_hold(rig: Rig) -> None:
    held, requested, confirmed = await rig.hold(await rig.offer()), await rig.request(), await rig.confirmed()
    ids = [held.id, requested.id, confirmed.id]
    before = await rig.service.find_booking_sides(booking_ids=ids)
    assert {(side.was_only_held, side.ended_at) for side in before.values()} == {(False, None)}
    for booking in (held, requested, confirmed):
        await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
    after = await rig.service.find_booking_sides(booking_ids=ids)
    assert [after[each].was_only_held for each in ids] == [True, False, False]
    now = await rig.now()
    assert all(ended_at is not None and ended_at <= now for ended_at in (after[each].ended_at for each in ids))
    assert await rig.service.find_booking_side(booking_id=held.id) == after[held.id]


async def test_bookings_are_described_together_as_each_alone(rig: Rig) -> None:
    made = [await rig.request(), await rig.confirmed()]
    described = await rig.service.describe_bookings(booking_ids=[*(booking.id for booking in made), uuid7()])
    assert described == {each.id: await rig.service.describe_booking(booking_id=each.id) for each in made}


async def test_live_bookings_ahead_are_listed_for_either_side(rig: Rig) -> None:
    user_id, ordered = await _bookings_of_both_sides(rig)
    found = await rig.parts.queries.list_live_bookings(user_id=user_id)
    assert {booking.booking_id for booking in found} == set(ordered)
    assert [booking.starts_at for booking in found] == sorted(booking.starts_at for booking in found)
    assert {booking.side for booking in found} == {"customer", "provider"}
    rig.pass_time(days=4)
    assert await rig.parts.queries.list_live_bookings(user_id=user_id) == []


async def test_hold_that_has_lapsed_is_not_live(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.pass_time(minutes=11)
    assert await rig.parts.queries.list_live_bookings(user_id=held.customer_id) == []
