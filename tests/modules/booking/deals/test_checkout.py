"""Paying for a hold: what becomes of the booking and of the money, also when a process dies or a payment is late."""

import asyncio
from datetime import timedelta

import pytest

from fairground.contracts.booking import (
    BookingConfirmed,
    BookingNotFound,
    BookingRequested,
    BookingStatus,
    HoldLapsed,
    NextStep,
    StatusConflict,
)
from fairground.contracts.payments import PaymentAuthorised, PaymentFailed, PaymentPending, PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.transitions import CompleteBooking, ExpireBooking, ReleasePayment
from tests.doubles.payments import ASKING_CARD, DECLINED_CARD
from tests.modules.booking.rig import PUBLIC_URL, Rig

pytestmark = pytest.mark.anyio


def authorised(rig: Rig, booking_id: object) -> PaymentAuthorised:
    payment = rig.payments.payments[booking_id]  # type: ignore[index]
    return PaymentAuthorised(
        payment_id=payment.id,
        reference_id=payment.reference_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
    )


async def test_paying_for_a_request_reserves_the_money_and_asks_the_provider(rig: Rig) -> None:
    booking = await rig.request(price_minor=4200)
    assert booking.status is BookingStatus.REQUESTED
    assert booking.payment is not None
    assert (booking.payment.status, booking.payment.amount_minor) == (PaymentStatus.AUTHORISED, 4200)
    assert booking.expires_at is None
    assert booking.answer_due_at is not None
    assert timedelta(hours=23, minutes=59) < booking.answer_due_at - await rig.now() <= timedelta(hours=24)
    assert booking.next_steps == [NextStep.CANCEL]
    assert [event.answer_due_at for event in rig.emitted(BookingRequested)] == [booking.answer_due_at]
    assert ExpireBooking(booking_id=booking.id, was=BookingStatus.REQUESTED) in rig.outbox.jobs


async def test_paying_for_an_instant_service_takes_the_money_and_confirms(rig: Rig) -> None:
    booking = await rig.confirmed()
    assert booking.status is BookingStatus.CONFIRMED
    assert booking.payment is not None
    assert booking.payment.status is PaymentStatus.CAPTURED
    assert [event.booking_id for event in rig.emitted(BookingConfirmed)] == [booking.id]
    assert CompleteBooking(booking_id=booking.id) in rig.outbox.jobs


async def test_a_declined_card_leaves_the_hold_for_another_card(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    with pytest.raises(PaymentFailed):
        await rig.pay(held, card=DECLINED_CARD)
    assert await rig.status(held) is BookingStatus.HELD
    assert (await rig.pay(held)).status is BookingStatus.REQUESTED


async def test_a_customer_who_must_prove_who_they_are_keeps_the_hold_and_comes_back(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    asked = await rig.pay(held, card=ASKING_CARD)
    assert asked.status is BookingStatus.HELD
    assert asked.payment is not None
    assert asked.payment.action_url == f"https://bank.example/?back={PUBLIC_URL}/book/{held.id}/return"
    rig.payments.put(held.id, status=PaymentStatus.AUTHORISED, action_url=None)
    settled = await rig.service.settle_payment(customer_id=held.customer_id, booking_id=held.id)
    assert settled.status is BookingStatus.REQUESTED


async def test_a_processor_that_does_not_answer_leaves_the_hold(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.payments.does_not_answer = True
    with pytest.raises(PaymentPending):
        await rig.pay(held)
    assert await rig.status(held) is BookingStatus.HELD


@pytest.mark.parametrize("mode", list(BookingMode))
async def test_the_event_heals_a_payment_whose_caller_died(rig: Rig, mode: BookingMode) -> None:
    held = await rig.hold(await rig.offer(mode=mode))
    await rig.pay(held, card=ASKING_CARD)
    rig.payments.put(held.id, status=PaymentStatus.AUTHORISED)
    for _ in range(2):
        await rig.parts.checkout.follow_payment(authorised(rig, held.id))
    expected = BookingStatus.REQUESTED if mode is BookingMode.REQUEST else BookingStatus.CONFIRMED
    assert await rig.status(held) is expected
    assert len(rig.emitted(BookingRequested)) + len(rig.emitted(BookingConfirmed)) == 1


async def test_a_payment_that_comes_after_the_hold_lapsed_is_released(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    await rig.pay(held, card=ASKING_CARD)
    rig.pass_time(minutes=31)
    await rig.parts.expiry.expire_lapsed()
    rig.outbox.jobs.clear()
    rig.payments.put(held.id, status=PaymentStatus.AUTHORISED)
    await rig.parts.checkout.follow_payment(authorised(rig, held.id))
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[held.id].status is PaymentStatus.VOIDED


async def test_a_hold_that_is_lost_while_the_card_is_asked_costs_nothing(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    authorise = rig.payments.authorise

    async def authorise_slowly(**order: object) -> object:
        rig.pass_time(minutes=31)
        await rig.parts.expiry.expire_lapsed()
        rig.outbox.jobs.clear()
        return await authorise(**order)  # type: ignore[arg-type]

    rig.payments.authorise = authorise_slowly  # type: ignore[method-assign, assignment]
    with pytest.raises(HoldLapsed):
        await rig.pay(held)
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[held.id].status is PaymentStatus.VOIDED


async def test_a_hold_that_lapsed_but_was_not_ended_can_still_be_paid(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.pass_time(minutes=12)
    assert (await rig.pay(held)).status is BookingStatus.REQUESTED


async def test_paying_keeps_the_hold_for_two_minutes_more_and_its_job_waits(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.pass_time(minutes=9, seconds=30)
    asked = await rig.pay(held, card=ASKING_CARD)
    assert asked.expires_at is not None
    assert asked.expires_at - await rig.now() > timedelta(minutes=1, seconds=55)
    rig.pass_time(minutes=1)
    await rig.run_jobs(ExpireBooking)
    assert await rig.status(held) is BookingStatus.HELD


async def test_a_hold_is_not_prolonged_for_ever(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.pass_time(minutes=31)
    with pytest.raises(HoldLapsed):
        await rig.pay(held)
    assert rig.payments.calls == []


async def test_an_expired_hold_and_a_paid_booking_cannot_be_paid(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    rig.pass_time(minutes=10)
    await rig.parts.expiry.expire_lapsed()
    with pytest.raises(HoldLapsed):
        await rig.pay(held)
    with pytest.raises(StatusConflict):
        await rig.pay(await rig.request())


async def test_only_the_customer_pays(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    for user_id in (uuid7(), rig.owner(held)):
        with pytest.raises(BookingNotFound):
            await rig.service.pay(customer_id=user_id, booking_id=held.id, payment_method="pm_card_visa")
        with pytest.raises(BookingNotFound):
            await rig.service.settle_payment(customer_id=user_id, booking_id=held.id)


async def test_a_refused_capture_of_an_instant_booking_leaves_the_hold_and_no_money(rig: Rig) -> None:
    held = await rig.hold(await rig.offer(mode=BookingMode.INSTANT))
    rig.payments.refuses_capture = True
    with pytest.raises(PaymentFailed):
        await rig.pay(held)
    await rig.parts.checkout.follow_payment(authorised(rig, held.id))
    assert await rig.status(held) is BookingStatus.HELD
    rig.pass_time(minutes=31)
    await rig.parts.expiry.expire_lapsed()
    await rig.run_jobs(ReleasePayment)
    assert rig.payments.payments[held.id].status is PaymentStatus.VOIDED


async def test_an_event_about_something_else_than_a_booking_is_passed_over(rig: Rig) -> None:
    held = await rig.request()
    reference_id = uuid7()
    rig.payments.payments[reference_id] = rig.payments.payments[held.id].model_copy(
        update={"reference_id": reference_id}
    )
    await rig.parts.checkout.follow_payment(authorised(rig, reference_id))


@pytest.mark.parametrize("mode", list(BookingMode))
async def test_payer_event_and_return_at_once_move_the_booking_once(rig: Rig, mode: BookingMode) -> None:
    held = await rig.hold(await rig.offer(mode=mode))
    await rig.pay(held, card=ASKING_CARD)
    rig.payments.put(held.id, status=PaymentStatus.AUTHORISED)
    await asyncio.gather(
        *(rig.pay(held) for _ in range(2)),
        *(rig.service.settle_payment(customer_id=held.customer_id, booking_id=held.id) for _ in range(2)),
        *(rig.parts.checkout.follow_payment(authorised(rig, held.id)) for _ in range(2)),
        return_exceptions=True,
    )
    assert await rig.status(held) is not BookingStatus.HELD
    assert len(rig.emitted(BookingRequested)) + len(rig.emitted(BookingConfirmed)) == 1
    assert ReleasePayment(booking_id=held.id) not in rig.outbox.jobs
