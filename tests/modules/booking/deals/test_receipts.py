"""The receipt of a booking: for its customer alone, once money was taken."""

import re

import pytest

from fairground.contracts.booking import BookingNotFound, ReceiptNotFound
from fairground.contracts.providers import BookingMode
from fairground.kernel.ids import uuid7
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


async def test_customer_reads_what_was_paid(rig: Rig) -> None:
    offer = await rig.offer(mode=BookingMode.INSTANT)
    booking = await rig.pay(await rig.hold(offer, place="online"))
    receipt = await rig.service.get_receipt(user_id=booking.customer_id, booking_id=booking.id)
    assert re.fullmatch(r"R(-[0-9A-F]{4}){3}", receipt.number)
    assert [(line.words, line.quantity, line.unit_price_minor, line.total_minor) for line in receipt.lines] == [
        (offer.service_name, 1, booking.total_minor, booking.total_minor)
    ]
    assert (receipt.captured_minor, receipt.net_minor, receipt.refunds) == (
        booking.total_minor,
        booking.total_minor,
        [],
    )
    assert (receipt.provider_name, receipt.place, receipt.timezone) == (
        booking.provider_name,
        "online",
        booking.timezone,
    )


async def test_number_stays_and_refund_is_listed_after_a_cancellation(rig: Rig) -> None:
    booking = await rig.confirmed()
    before = await rig.service.get_receipt(user_id=booking.customer_id, booking_id=booking.id)
    rig.payments.put(booking.id, refunded_minor=400)
    after = await rig.service.get_receipt(user_id=booking.customer_id, booking_id=booking.id)
    assert after.number == before.number
    assert [refund.amount_minor for refund in after.refunds] == [400]
    assert after.net_minor == booking.total_minor - 400


async def test_reserved_money_has_no_receipt(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    with pytest.raises(ReceiptNotFound):
        await rig.service.get_receipt(user_id=held.customer_id, booking_id=held.id)
    await rig.pay(held)
    with pytest.raises(ReceiptNotFound):
        await rig.service.get_receipt(user_id=held.customer_id, booking_id=held.id)


async def test_receipt_is_for_no_provider_and_no_stranger(rig: Rig) -> None:
    booking = await rig.confirmed()
    with pytest.raises(ReceiptNotFound):
        await rig.service.get_receipt(user_id=rig.owner(booking), booking_id=booking.id)
    with pytest.raises(BookingNotFound):
        await rig.service.get_receipt(user_id=uuid7(), booking_id=booking.id)
