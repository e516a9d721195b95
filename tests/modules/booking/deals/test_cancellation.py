"""Cancelling, with the right money back, and completing."""

import asyncio
from datetime import timedelta

import pytest

from fairground.contracts.accounts import AccountClosed
from fairground.contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingNotFound,
    BookingStatus,
    BookingView,
    NextStep,
    NotYet,
    PriceChanged,
    StatusConflict,
)
from fairground.contracts.payments import PaymentAuthorised, PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.transitions import CompleteBooking, RefundPayment, ReleasePayment
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def until_before_start(rig: Rig, booking: BookingView, **left: float) -> None:
    rig.db.clock_shift += booking.starts_at - timedelta(**left) - await rig.now()


async def test_cancelling_a_hold_frees_the_time(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    cancelled = await rig.service.cancel(user_id=held.customer_id, booking_id=held.id)
    assert (cancelled.status, cancelled.next_steps, cancelled.cancellation) == (BookingStatus.CANCELLED, [], None)
    await rig.hold(rig.providers.offers[held.service_id], starts_at=held.starts_at)


async def test_cancelling_a_request_voids_the_money(rig: Rig) -> None:
    booking = await rig.request()
    await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
    assert [(event.by, event.refund_minor) for event in rig.emitted(BookingCancelled)] == [("customer", 0)]
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[booking.id].status is PaymentStatus.VOIDED


async def test_provider_declines_a_request_and_cannot_cancel_it(rig: Rig) -> None:
    booking = await rig.request()
    with pytest.raises(StatusConflict, match="is requested, so the provider cannot cancel it"):
        await rig.service.cancel(user_id=rig.owner(booking), booking_id=booking.id)


@pytest.mark.parametrize(("hours_left", "refund_minor"), [(25, 5000), (23, 0)])
async def test_a_customer_gets_back_what_was_shown_before(rig: Rig, hours_left: int, refund_minor: int) -> None:
    booking = await rig.confirmed(price_minor=5000)
    await until_before_start(rig, booking, hours=hours_left)
    shown = await rig.service.get_booking(user_id=booking.customer_id, booking_id=booking.id)
    assert shown.cancellation is not None
    assert (shown.cancellation.refund_minor, shown.cancellation.keep_minor) == (refund_minor, 5000 - refund_minor)
    await rig.service.cancel(
        user_id=booking.customer_id, booking_id=booking.id, expected_refund_minor=shown.cancellation.refund_minor
    )
    for _ in range(2):
        jobs = [job for job in rig.outbox.jobs if isinstance(job, RefundPayment)]
        for job in jobs:
            await rig.parts.cancellation.refund_payment(job)
    assert rig.payments.payments[booking.id].refunded_minor == refund_minor


@pytest.mark.parametrize(("hours_left", "refund_minor"), [(25, 5000), (23, 0)])
async def test_cancelled_booking_says_what_is_due_back_before_and_after_it_was_refunded(
    rig: Rig, hours_left: int, refund_minor: int
) -> None:
    booking = await rig.confirmed(price_minor=5000)
    assert booking.refund_due_minor == 0
    await until_before_start(rig, booking, hours=hours_left)
    cancelled = await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
    assert cancelled.payment is not None
    assert (cancelled.refund_due_minor, cancelled.payment.refunded_minor) == (refund_minor, 0)
    await rig.run_jobs(RefundPayment)
    await until_before_start(rig, booking, hours=-100)
    later = await rig.service.get_booking(user_id=rig.owner(booking), booking_id=booking.id)
    assert later.payment is not None
    assert (later.refund_due_minor, later.payment.refunded_minor) == (refund_minor, refund_minor)


async def test_all_is_due_back_when_the_provider_cancels(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    await until_before_start(rig, booking, minutes=-5)
    cancelled = await rig.service.cancel(user_id=rig.owner(booking), booking_id=booking.id)
    assert cancelled.refund_due_minor == 5000


async def test_a_provider_who_cancels_gives_everything_back_even_after_the_start(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    await until_before_start(rig, booking, minutes=-5)
    with pytest.raises(StatusConflict):
        await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
    await rig.service.cancel(user_id=rig.owner(booking), booking_id=booking.id)
    await rig.run_jobs(RefundPayment)
    assert rig.payments.payments[booking.id].refunded_minor == 5000


async def test_a_refund_that_is_no_longer_the_expected_one_is_not_carried_out(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    await until_before_start(rig, booking, hours=23)
    with pytest.raises(PriceChanged) as changed:
        await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id, expected_refund_minor=5000)
    assert changed.value.context["refund_minor"] == 0
    assert await rig.status(booking) is BookingStatus.CONFIRMED


async def test_a_late_event_does_not_give_back_what_the_policy_keeps(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    await until_before_start(rig, booking, hours=23)
    await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
    await rig.parts.checkout.follow_payment(
        PaymentAuthorised(payment_id=uuid7(), reference_id=booking.id, amount_minor=5000, currency="EUR")
    )
    assert not [job for job in rig.outbox.jobs if isinstance(job, ReleasePayment | RefundPayment)]


async def test_user_on_neither_side_finds_nothing_to_cancel_or_complete(rig: Rig) -> None:
    booking = await rig.confirmed()
    for act in (rig.service.cancel, rig.service.complete):
        with pytest.raises(BookingNotFound):
            await act(user_id=uuid7(), booking_id=booking.id)
        with pytest.raises(BookingNotFound):
            await act(user_id=booking.customer_id, booking_id=uuid7())


@pytest.mark.parametrize("side", ["customer", "provider"])
async def test_either_side_completes_after_the_end_and_not_before(rig: Rig, side: str) -> None:
    booking = await rig.confirmed()
    user_id = booking.customer_id if side == "customer" else rig.owner(booking)
    with pytest.raises(NotYet):
        await rig.service.complete(user_id=user_id, booking_id=booking.id)
    await until_before_start(rig, booking, hours=-1)
    completed = await rig.service.complete(user_id=user_id, booking_id=booking.id)
    assert (completed.status, completed.next_steps) == (BookingStatus.COMPLETED, [NextStep.REVIEW])
    with pytest.raises(StatusConflict):
        await rig.service.complete(user_id=user_id, booking_id=booking.id)


async def test_a_booking_completes_by_itself(rig: Rig) -> None:
    booking = await rig.confirmed()
    await until_before_start(rig, booking, hours=-13)
    job = CompleteBooking(booking_id=booking.id)
    for _ in range(2):
        await rig.parts.completion.complete_booking(job)
    assert await rig.status(booking) is BookingStatus.COMPLETED
    assert len(rig.emitted(BookingCompleted)) == 1


async def test_simultaneous_completions_are_announced_with_a_count_of_their_own(rig: Rig) -> None:
    offer = await rig.offer(mode=BookingMode.INSTANT)
    bookings = [
        await rig.pay(await rig.hold(offer, starts_at=await rig.tomorrow(hour))) for hour in (6, 8, 10, 12, 14, 16)
    ]
    rig.pass_time(days=4)
    await asyncio.gather(
        *(rig.service.complete(user_id=booking.customer_id, booking_id=booking.id) for booking in bookings)
    )
    counts = [event.provider_completed_count for event in rig.emitted(BookingCompleted)]
    assert sorted(counts) == [1, 2, 3, 4, 5, 6]


async def test_what_was_booked_while_its_account_was_closed_is_cancelled_with_a_full_refund(rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    event = AccountClosed(user_id=rig.owner(booking), version=1)
    for _ in range(2):
        await rig.handlers[AccountClosed](event)
    assert [(each.by, each.refund_minor) for each in rig.emitted(BookingCancelled)] == [("provider", 5000)]
