"""What a provider answers, and what becomes of the money."""

import pytest

from fairground.contracts.booking import (
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingNotFound,
    BookingStatus,
    NextStep,
    StatusConflict,
)
from fairground.contracts.payments import PaymentCaptured, PaymentFailed, PaymentStatus
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.transitions import CompleteBooking, ExpireBooking, ReleasePayment
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def test_accepting_takes_the_money_and_confirms(rig: Rig) -> None:
    booking = await rig.request()
    seen = await rig.service.get_booking(user_id=rig.owner(booking), booking_id=booking.id)
    assert seen.next_steps == [NextStep.ACCEPT, NextStep.DECLINE]
    accepted = await rig.service.accept(owner_id=rig.owner(booking), booking_id=booking.id)
    assert (accepted.status, accepted.side, accepted.answer_due_at) == (BookingStatus.CONFIRMED, "provider", None)
    assert accepted.payment is not None
    assert accepted.payment.status is PaymentStatus.CAPTURED
    assert len(rig.emitted(BookingConfirmed)) == 1
    assert CompleteBooking(booking_id=booking.id) in rig.outbox.jobs


async def test_a_refused_capture_leaves_the_booking_requested(rig: Rig) -> None:
    booking = await rig.request()
    rig.payments.refuses_capture = True
    with pytest.raises(PaymentFailed):
        await rig.service.accept(owner_id=rig.owner(booking), booking_id=booking.id)
    assert await rig.status(booking) is BookingStatus.REQUESTED


async def test_money_taken_for_an_acceptance_that_died_confirms_the_booking(rig: Rig) -> None:
    booking = await rig.request()
    payment = await rig.payments.capture(reference_id=booking.id)
    event = PaymentCaptured(
        payment_id=payment.id, reference_id=booking.id, captured_minor=payment.captured_minor, currency="EUR"
    )
    for _ in range(2):
        await rig.parts.checkout.follow_payment(event)
    assert await rig.status(booking) is BookingStatus.CONFIRMED
    assert len(rig.emitted(BookingConfirmed)) == 1


async def test_a_booking_that_ended_while_it_was_accepted_gives_the_money_back(rig: Rig) -> None:
    booking = await rig.request()
    capture = rig.payments.capture

    async def capture_slowly(**order: object) -> object:
        captured = await capture(**order)  # type: ignore[arg-type]
        await rig.service.cancel(user_id=booking.customer_id, booking_id=booking.id)
        rig.outbox.jobs.clear()
        return captured

    rig.payments.capture = capture_slowly  # type: ignore[method-assign, assignment]
    with pytest.raises(StatusConflict, match="gets the money back"):
        await rig.service.accept(owner_id=rig.owner(booking), booking_id=booking.id)
    await rig.run_jobs(ReleasePayment)
    payment = rig.payments.payments[booking.id]
    assert payment.refunded_minor == payment.captured_minor == booking.total_minor


async def test_declining_tells_why_frees_the_time_and_voids_the_money(rig: Rig) -> None:
    booking = await rig.request()
    declined = await rig.service.decline(owner_id=rig.owner(booking), booking_id=booking.id, reason=" On holiday. ")
    assert (declined.status, declined.decline_reason) == (BookingStatus.DECLINED, "On holiday.")
    assert [event.reason for event in rig.emitted(BookingDeclined)] == ["On holiday."]
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[booking.id].status is PaymentStatus.VOIDED
    again = await rig.hold(rig.providers.offers[booking.service_id], starts_at=booking.starts_at)
    assert again.status is BookingStatus.HELD


async def test_an_unanswered_request_lapses_and_voids_the_money(rig: Rig) -> None:
    booking = await rig.request()
    rig.pass_time(hours=24, seconds=1)
    await rig.run_jobs(ExpireBooking)
    assert await rig.status(booking) is BookingStatus.EXPIRED
    assert [event.was for event in rig.emitted(BookingExpired)] == [BookingStatus.REQUESTED]
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[booking.id].status is PaymentStatus.VOIDED


async def test_a_lapsed_request_gives_way_to_the_next_customer(rig: Rig) -> None:
    booking = await rig.request()
    rig.pass_time(hours=25)
    await rig.hold(rig.providers.offers[booking.service_id], starts_at=booking.starts_at)
    assert await rig.status(booking) is BookingStatus.EXPIRED


async def test_only_the_owner_answers_and_only_a_request(rig: Rig) -> None:
    booking = await rig.request()
    for user_id in (booking.customer_id, uuid7()):
        with pytest.raises(BookingNotFound):
            await rig.service.accept(owner_id=user_id, booking_id=booking.id)
        with pytest.raises(BookingNotFound):
            await rig.service.decline(owner_id=user_id, booking_id=booking.id, reason=None)
    await rig.service.accept(owner_id=rig.owner(booking), booking_id=booking.id)
    with pytest.raises(StatusConflict, match=r"^The booking is already confirmed\.$"):
        await rig.service.accept(owner_id=rig.owner(booking), booking_id=booking.id)
    with pytest.raises(StatusConflict, match="is confirmed, so the provider cannot decline it"):
        await rig.service.decline(owner_id=rig.owner(booking), booking_id=booking.id, reason=None)
