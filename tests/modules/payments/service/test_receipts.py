"""What a receipt says of a payment, on both databases, against the sandbox."""

from datetime import timedelta
from uuid import uuid4

import pytest

from fairground.contracts.payments import PaidCard
from tests.modules.payments.market import AMOUNT, Market


async def test_receipt_names_amount_time_and_card(market: Market) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id, card="pm_card_mastercard")
    market.move(timedelta(hours=2))
    before = market.clock.now()
    payment = await market.payments.capture(reference_id=reference_id)
    receipt = await market.payments.find_receipt(reference_id=reference_id)
    assert receipt is not None
    assert (receipt.payment_id, receipt.captured_minor, receipt.currency) == (payment.id, AMOUNT, "EUR")
    assert timedelta(seconds=-5) < receipt.captured_at - before < timedelta(minutes=1)
    assert (receipt.refunds, receipt.refunded_minor) == ([], 0)
    # The webhook leads to the intent, which names the card.
    await market.sandbox.sender.send_due()
    await market.work()
    receipt = await market.payments.find_receipt(reference_id=reference_id)
    assert receipt is not None
    assert receipt.card == PaidCard(brand="mastercard", last4="4444")
    assert receipt.card.words == "Mastercard •••• 4444"


async def test_receipt_lists_refunds_by_us_and_by_hand_with_their_times(market: Market) -> None:
    payment = await market.captured()
    first = await market.payments.find_receipt(reference_id=payment.reference_id)
    assert first is not None
    market.move(timedelta(days=1))
    await market.payments.refund(reference_id=payment.reference_id, amount_minor=2_000, key="a")
    market.move(timedelta(days=1))
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 500})
    await market.payments.refresh(reference_id=payment.reference_id)
    receipt = await market.payments.find_receipt(reference_id=payment.reference_id)
    assert receipt is not None
    assert [refund.amount_minor for refund in receipt.refunds] == [2_000, 500]
    assert receipt.refunded_minor == 2_500
    waits = [refund.refunded_at - first.captured_at for refund in receipt.refunds]
    assert [wait.days for wait in waits] == [1, 2]
    assert receipt.captured_at == first.captured_at


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_authenticationRequired"])
async def test_nothing_captured_has_no_receipt(market: Market, card: str) -> None:
    reference_id = uuid4()
    assert await market.payments.find_receipt(reference_id=reference_id) is None
    await market.authorise(reference_id, card=card)
    assert await market.payments.find_receipt(reference_id=reference_id) is None


def test_card_of_an_unknown_brand_is_still_named() -> None:
    assert PaidCard(brand="amex", last4="8431").words == "American Express •••• 8431"
    assert PaidCard(brand="girocard", last4="0001").words == "Girocard •••• 0001"
