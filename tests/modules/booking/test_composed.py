"""Bookings with their real neighbours: accounts, catalog, the payment sandbox and the job worker."""

from datetime import timedelta

import pytest

from fairground.contracts.booking import BookingStatus
from fairground.contracts.payments import PaymentFailed, Payments, PaymentStatus
from fairground.contracts.providers import BookingMode, Providers
from tests.doubles.payments import DECLINED_CARD, GOOD_CARD
from tests.modules.booking.fair import Fair

pytestmark = pytest.mark.anyio


async def test_a_request_is_paid_accepted_completed_and_counted(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    assert booking.status is BookingStatus.REQUESTED
    accepted = await fair.bookings.accept(owner_id=fair.owner_id, booking_id=booking.id)
    assert accepted.status is BookingStatus.CONFIRMED
    await fair.until_money(booking, PaymentStatus.CAPTURED)
    fair.program.db.clock_shift = timedelta(days=3)
    completed = await fair.bookings.complete(user_id=fair.customer_id, booking_id=booking.id)
    assert completed.status is BookingStatus.COMPLETED
    providers = fair.program.links.of(Providers)

    async def counted() -> bool:
        return (await providers.get_provider(id_or_slug=str(fair.provider_id))).book_count == 1

    await fair.eventually(counted)


async def test_an_instant_booking_is_paid_and_cancelled_by_the_policy(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold(BookingMode.INSTANT))
    assert booking.status is BookingStatus.CONFIRMED
    assert booking.cancellation is not None
    assert 0 <= booking.cancellation.refund_minor <= booking.total_minor
    await fair.bookings.cancel(user_id=fair.owner_id, booking_id=booking.id)
    await fair.until_money(booking, PaymentStatus.CAPTURED, refunded_minor=booking.total_minor)


async def test_a_declined_request_lets_the_money_go(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    await fair.bookings.decline(owner_id=fair.owner_id, booking_id=booking.id, reason="Ill.")
    await fair.until_money(booking, PaymentStatus.VOIDED)


async def test_a_declined_card_can_be_followed_by_a_good_one(fair: Fair) -> None:
    held = await fair.hold()
    with pytest.raises(PaymentFailed):
        await fair.pay(held, card=DECLINED_CARD)
    assert (await fair.pay(held)).status is BookingStatus.REQUESTED


async def test_an_authorisation_whose_caller_died_is_followed_by_the_worker(fair: Fair) -> None:
    held = await fair.hold(BookingMode.INSTANT)
    await fair.program.links.of(Payments).authorise(
        reference_id=held.id,
        payer_id=fair.customer_id,
        amount_minor=held.total_minor,
        currency=held.currency,
        payment_method=GOOD_CARD,
        return_url="http://127.0.0.1:8000/",
    )

    async def confirmed() -> bool:
        return (await fair.bookings.describe_booking(booking_id=held.id)).status is BookingStatus.CONFIRMED

    await fair.eventually(confirmed)


async def test_a_lapsed_request_is_ended_by_the_worker_and_its_money_let_go(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    fair.program.db.clock_shift = timedelta(hours=25)
    await fair.until_money(booking, PaymentStatus.VOIDED)
    assert (await fair.bookings.describe_booking(booking_id=booking.id)).status is BookingStatus.EXPIRED
