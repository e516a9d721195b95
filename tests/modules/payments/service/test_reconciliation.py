"""Reconciliation finds what was lost, and releases money that no payment needs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from fairground.contracts.payments import PaymentFailed, PaymentPending, PaymentStatus
from fairground.modules.payments.service.reconciliation import Reconcile
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import AMOUNT, Market


async def test_operation_whose_job_was_lost_is_settled(market: Market) -> None:
    reference_id = uuid4()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    async with market.db.write() as tx:
        await tx.execute(text("DELETE FROM jobs_job"))
    market.move(timedelta(minutes=2))
    await market.reconciliation.run(Reconcile())
    await market.work()
    known = await market.payments.find_payment(reference_id=reference_id)
    assert known is not None
    assert known.status is PaymentStatus.AUTHORISED


async def test_authorisation_about_to_lapse_is_released(market: Market) -> None:
    old, taken = await market.authorise(uuid4()), await market.captured()
    market.move(timedelta(days=6, minutes=1))
    young = await market.authorise(uuid4())
    await market.reconciliation.run(Reconcile())
    market.move(timedelta(minutes=1))
    await market.work()
    statuses = [
        payment.status
        for reference in (old, taken, young)
        if (payment := await market.payments.find_payment(reference_id=reference.reference_id))
    ]
    assert statuses == [PaymentStatus.VOIDED, PaymentStatus.CAPTURED, PaymentStatus.AUTHORISED]


async def test_orphaned_intent_is_cancelled(market: Market) -> None:
    reference_id = uuid4()
    market.faults.set(RequestFault.RATE_LIMITED)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    market.move(timedelta(hours=25))
    with pytest.raises(PaymentFailed):
        await market.authorise(reference_id)
    ended = await market.payments.find_payment(reference_id=reference_id)
    assert ended is not None
    late = {"amount": AMOUNT, "currency": "eur", "capture_method": "manual", "confirm": "true"}
    late |= {"payment_method": "pm_card_visa", "metadata[payment_id]": str(ended.id)}
    await market.post("/v1/payment_intents", late)
    await market.sandbox.sender.send_due()
    await market.work()
    assert [intent["status"] for intent in await market.intents()] == ["canceled"]
    assert await market.payments.find_payment(reference_id=reference_id) == ended
