"""Capturing an authorised payment, on both databases, against the sandbox."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from fairground.contracts.payments import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    PaymentNotFound,
    PaymentPending,
    PaymentStateConflict,
    PaymentStatus,
)
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import AMOUNT, Market


async def test_authorised_then_captured_payment_emits_its_events_in_order(market: Market) -> None:
    reference_id = uuid4()
    authorised = await market.authorise(reference_id)
    assert (authorised.status, authorised.captured_minor) == (PaymentStatus.AUTHORISED, 0)
    captured = await market.payments.capture(reference_id=reference_id)
    assert (captured.status, captured.captured_minor, captured.refunded_minor) == (PaymentStatus.CAPTURED, AMOUNT, 0)
    await market.work()
    about: Any = {"payment_id": captured.id, "reference_id": reference_id, "currency": "EUR"}
    assert market.events == [
        PaymentAuthorised(**about, amount_minor=AMOUNT),
        PaymentCaptured(**about, captured_minor=AMOUNT),
    ]
    assert await market.outcomes(captured) == [
        ("create", "started"), ("create", "succeeded"), ("capture", "started"), ("capture", "succeeded"),
    ]  # fmt: skip


async def test_failed_capture_leaves_the_payment_authorised(market: Market) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id, card="pm_sandbox_captureDeclined")
    for _ in range(2):
        with pytest.raises(PaymentFailed) as refused:
            await market.payments.capture(reference_id=reference_id)
        assert refused.value.context["reason"] == "insufficient_funds"
    payment = await market.payments.find_payment(reference_id=reference_id)
    assert payment is not None
    assert payment.status is PaymentStatus.AUTHORISED
    released = await market.payments.release(reference_id=reference_id)
    assert released is not None
    assert released.status is PaymentStatus.VOIDED


async def test_capture_needs_an_authorised_payment(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentNotFound):
        await market.payments.capture(reference_id=reference_id)
    await market.authorise(reference_id)
    await market.payments.release(reference_id=reference_id)
    with pytest.raises(PaymentStateConflict):
        await market.payments.capture(reference_id=reference_id)


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED])
async def test_capture_with_an_expired_key_is_looked_up(market: Market, fault: RequestFault) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id)
    market.faults.set(fault, path_end="/capture")
    with pytest.raises(PaymentPending):
        await market.payments.capture(reference_id=reference_id)
    market.move(timedelta(hours=25))
    if fault is RequestFault.RATE_LIMITED:
        with pytest.raises(PaymentFailed):
            await market.payments.capture(reference_id=reference_id)
    assert (await market.payments.capture(reference_id=reference_id)).captured_minor == AMOUNT
