"""Authorising a payment, on both databases, against the sandbox."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from fairground.contracts.payments import (
    PaymentAuthorised,
    PaymentFailed,
    PaymentFailedEvent,
    PaymentPending,
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
