"""Authorising and capturing a payment, on both databases, against the sandbox."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from fairground.contracts.payments import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    PaymentFailedEvent,
    PaymentNotFound,
    PaymentPending,
    PaymentStateConflict,
    PaymentStatus,
)
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import AMOUNT, Market


async def test_concurrent_authorisations_of_a_reference_share_one_payment(market: Market) -> None:
    reference_id = uuid4()
    payments = await asyncio.gather(*(market.authorise(reference_id) for _ in range(8)))
    assert {payment.id for payment in payments} == {payments[0].id}
    assert {payment.status for payment in payments} == {PaymentStatus.AUTHORISED}
    assert len(await market.intents()) == 1
    captures = await asyncio.gather(*(market.payments.capture(reference_id=reference_id) for _ in range(4)))
    assert {payment.captured_minor for payment in captures} == {AMOUNT}


async def test_declined_card_fails_the_payment_and_another_may_follow(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentFailed) as refused:
        await market.authorise(reference_id, card="pm_card_visa_chargeDeclinedInsufficientFunds")
    assert refused.value.context["reason"] == "insufficient_funds"
    failed = await market.payments.find_payment(reference_id=reference_id)
    assert failed is not None
    assert (failed.status, failed.failure_code) == (PaymentStatus.FAILED, "insufficient_funds")

    second = await market.authorise(reference_id)
    assert (second.status, second.id == failed.id) == (PaymentStatus.AUTHORISED, False)
    await market.work()
    assert [type(event) for event in market.events] == [PaymentFailedEvent, PaymentAuthorised]


async def test_unknown_card_fails_the_payment(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentFailed):
        await market.authorise(reference_id, card="pm_missing")
    assert await market.intents() == []


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.HANG_AFTER_COMMIT])
async def test_unknown_outcome_is_resolved_by_the_same_key(market: Market, fault: RequestFault) -> None:
    reference_id = uuid4()
    market.faults.set(fault)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    started = await market.payments.find_payment(reference_id=reference_id)
    assert started is not None
    assert started.status is PaymentStatus.STARTED

    payment = await market.authorise(reference_id)
    assert (payment.id, payment.status) == (started.id, PaymentStatus.AUTHORISED)
    assert len(await market.intents()) == 1
    assert len(await market.keys(payment)) == 1
    assert [outcome for _, outcome in await market.outcomes(payment)] == ["started", "unknown", "succeeded"]


async def test_unknown_outcome_is_settled_in_the_background(market: Market) -> None:
    reference_id = uuid4()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    market.move(timedelta(seconds=31))
    await market.work()
    payment = await market.payments.find_payment(reference_id=reference_id)
    assert payment is not None
    assert payment.status is PaymentStatus.AUTHORISED
    assert [type(event) for event in market.events] == [PaymentAuthorised]


async def test_consumed_key_is_looked_up(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id, card="pm_sandbox_serverError")
    payment = await market.authorise(reference_id, card="pm_sandbox_serverError")
    assert payment.status is PaymentStatus.AUTHORISED
    assert len(await market.intents()) == 1


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED])
async def test_expired_key_is_looked_up_and_not_replayed(market: Market, fault: RequestFault) -> None:
    reference_id = uuid4()
    market.faults.set(fault)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    market.move(timedelta(hours=25))
    if fault is RequestFault.ERROR_AFTER_COMMIT:
        assert (await market.authorise(reference_id)).status is PaymentStatus.AUTHORISED
    else:
        with pytest.raises(PaymentFailed):
            await market.authorise(reference_id)
    assert len(await market.intents()) == (1 if fault is RequestFault.ERROR_AFTER_COMMIT else 0)


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
