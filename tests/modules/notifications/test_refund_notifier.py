"""Mails about money: the receipt in the confirmation, and one mail for each refund."""

import pytest

from fairground.contracts.booking import BookingView
from fairground.contracts.payments import PaymentReleased
from fairground.kernel.ids import uuid7
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body, subject

pytestmark = pytest.mark.anyio


def released(booking: BookingView, *, refunded_minor: int) -> PaymentReleased:
    assert booking.payment is not None
    return PaymentReleased(payment_id=booking.payment.id, reference_id=booking.id, refunded_minor=refunded_minor)


async def test_confirmation_has_the_lines_of_the_receipt_for_the_customer_alone(rig: Rig) -> None:
    booking = await rig.accepted()
    await rig.work()
    mine, theirs = rig.mail_to(rig.customer), rig.mail_to(rig.owner)
    receipt = await rig.bookings.get_receipt(user_id=rig.customer.id, booking_id=booking.id)
    for kind in ("plain", "html"):
        assert f"Receipt {receipt.number}" in body(mine, kind)
        assert "Algebra, one hour: 1 × €159.01 = €159.01" in body(mine, kind)
        assert "by Visa •••• 4242: €159.01" in body(mine, kind)
        assert f"{PUBLIC_URL}/me/bookings/{booking.id}/receipt" in body(mine, kind)
        assert "Receipt" not in body(theirs, kind)


async def test_refund_is_mailed_once_with_its_amount_and_the_receipt(rig: Rig) -> None:
    booking = await rig.accepted()
    await rig.work()
    rig.payments.put(booking.id, refunded_minor=6_500)
    event = released(booking, refunded_minor=6_500)
    await rig.emit(event)
    await rig.deliver(event)
    await rig.work()
    mail = rig.mail_to(rig.customer)
    assert subject(mail) == "€65.00 refunded: Algebra, one hour with Ada Lovelace"
    assert "We’ve refunded €65.00 of the €159.01 you paid to your card." in body(mail)
    assert f"{PUBLIC_URL}/me/bookings/{booking.id}/receipt" in body(mail)
    refunds = [each for each in rig.subjects(rig.customer) if "refunded" in each]
    assert len(refunds) == 1
    assert [each for each in rig.subjects(rig.owner) if "refunded" in each] == []


async def test_released_authorisation_and_payments_of_others_are_not_mailed(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    count = len(rig.mails())
    await rig.emit(released(booking, refunded_minor=0))
    await rig.emit(PaymentReleased(payment_id=uuid7(), reference_id=uuid7(), refunded_minor=100))
    assert len(rig.mails()) == count
