"""The contract of payments, on both databases, against the sandbox."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from fairground.contracts.payments import (
    AmountNotChargeable,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    PaymentFailedEvent,
    PaymentNotFound,
    PaymentPending,
    PaymentReleased,
    PaymentStateConflict,
    PaymentStatus,
    RefundTooLarge,
)
from fairground.modules.payments import store
from fairground.modules.payments.service import observing
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.rig import AMOUNT, Market


async def test_authorised_then_captured_is_told_in_order(market: Market) -> None:
    reference_id = uuid4()
    authorised = await market.authorise(reference_id)
    assert (authorised.status, authorised.captured_minor) == (PaymentStatus.AUTHORISED, 0)
    captured = await market.payments.capture(reference_id=reference_id)
    assert (captured.status, captured.captured_minor, captured.refunded_minor) == (PaymentStatus.CAPTURED, AMOUNT, 0)
    await market.work()
    about: Any = {"payment_id": captured.id, "reference_id": reference_id, "currency": "EUR"}
    assert market.told == [
        PaymentAuthorised(**about, amount_minor=AMOUNT),
        PaymentCaptured(**about, captured_minor=AMOUNT),
    ]
    assert await market.outcomes(captured) == [
        ("create", "started"), ("create", "succeeded"), ("capture", "started"), ("capture", "succeeded"),
    ]  # fmt: skip


async def test_reference_has_one_live_payment_however_often_it_is_asked_for(market: Market) -> None:
    reference_id = uuid4()
    payments = await asyncio.gather(*(market.authorise(reference_id) for _ in range(8)))
    assert {payment.id for payment in payments} == {payments[0].id}
    assert {payment.status for payment in payments} == {PaymentStatus.AUTHORISED}
    assert len(await market.intents()) == 1
    captures = await asyncio.gather(*(market.payments.capture(reference_id=reference_id) for _ in range(4)))
    assert {payment.captured_minor for payment in captures} == {AMOUNT}


async def test_many_references_are_answered_with_the_newest_payment_of_each(market: Market) -> None:
    first, second, unpaid = uuid4(), uuid4(), uuid4()
    with pytest.raises(PaymentFailed):
        await market.authorise(first, card="pm_card_visa_chargeDeclined")
    again, other = await market.authorise(first), await market.authorise(second)
    found = await market.payments.find_payments(reference_ids=[first, second, unpaid])
    assert {reference_id: payment.id for reference_id, payment in found.items()} == {first: again.id, second: other.id}


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
    assert [type(event) for event in market.told] == [PaymentFailedEvent, PaymentAuthorised]


async def test_unknown_card_fails_the_payment(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentFailed):
        await market.authorise(reference_id, card="pm_nobody")
    assert await market.intents() == []


async def test_customer_who_proves_who_they_are_is_seen_by_refresh(market: Market) -> None:
    reference_id = uuid4()
    asked = await market.authorise(reference_id, card="pm_card_authenticationRequired")
    assert asked.status is PaymentStatus.REQUIRES_ACTION
    assert asked.action_url is not None
    assert await market.authorise(reference_id, card="pm_card_authenticationRequired") == asked

    pages = httpx.ASGITransport(Starlette(routes=market.sandbox.page_routes))
    async with httpx.AsyncClient(transport=pages) as browser:
        await browser.post(asked.action_url, data={"outcome": "complete"})
    refreshed = await market.payments.refresh(reference_id=reference_id)
    assert refreshed is not None
    assert (refreshed.status, refreshed.action_url) == (PaymentStatus.AUTHORISED, None)
    await market.work()
    assert [type(event) for event in market.told] == [PaymentAuthorised]


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


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_authenticationRequired"])
async def test_release_voids_what_was_not_taken(market: Market, card: str) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id, card=card)
    for _ in range(2):
        released = await market.payments.release(reference_id=reference_id)
        assert released is not None
        assert released.status is PaymentStatus.VOIDED
    [intent] = await market.intents()
    assert intent["status"] == "canceled"
    await market.work()
    told = [event for event in market.told if isinstance(event, PaymentReleased)]
    assert [event.refunded_minor for event in told] == [0]


async def test_release_refunds_what_is_left_of_a_captured_payment(market: Market) -> None:
    payment = await market.captured()
    await market.payments.refund(reference_id=payment.reference_id, amount_minor=4_000, key="a")
    for _ in range(2):
        released = await market.payments.release(reference_id=payment.reference_id)
        assert released is not None
        assert (released.status, released.refunded_minor) == (PaymentStatus.CAPTURED, AMOUNT)
    await market.work()
    told = [event for event in market.told if isinstance(event, PaymentReleased)]
    assert [event.refunded_minor for event in told] == [4_000, AMOUNT]


async def test_release_of_nothing_is_none(market: Market) -> None:
    assert await market.payments.release(reference_id=uuid4()) is None
    assert await market.payments.refresh(reference_id=uuid4()) is None
    assert await market.payments.find_payment(reference_id=uuid4()) is None


async def test_refund_with_one_key_happens_once(market: Market) -> None:
    payment = await market.captured()
    answers = await asyncio.gather(
        *(market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="a") for _ in range(6))
    )
    assert {answer.refunded_minor for answer in answers} == {5_000}
    assert len((await market.get("/v1/refunds"))["data"]) == 1


async def test_refund_above_what_is_left_is_refused_before_anybody_is_asked(market: Market) -> None:
    payment = await market.captured()
    await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="a")
    with pytest.raises(RefundTooLarge) as refused:
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=4_001, key="b")
    assert refused.value.context["left_minor"] == 4_000
    assert len((await market.get("/v1/refunds"))["data"]) == 1
    with pytest.raises(PaymentNotFound):
        await market.payments.refund(reference_id=uuid4(), amount_minor=1, key="a")


async def test_refund_of_an_authorised_payment_is_refused(market: Market) -> None:
    payment = await market.authorise(uuid4())
    with pytest.raises(PaymentStateConflict):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=1, key="a")


async def test_refund_that_does_not_fit_beside_one_made_by_hand_is_refused(market: Market) -> None:
    payment = await market.captured()
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 9_000})
    with pytest.raises(RefundTooLarge) as refused:
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=4_000, key="a")
    assert refused.value.context["left_minor"] == 3_000
    known = await market.payments.find_payment(reference_id=payment.reference_id)
    assert known is not None
    assert known.refunded_minor == 9_000
    again = await market.payments.refund(reference_id=payment.reference_id, amount_minor=3_000, key="a")
    assert again.refunded_minor == AMOUNT


async def test_release_finds_that_somebody_has_given_it_back_by_hand(market: Market) -> None:
    payment = await market.captured()
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"]})
    released = await market.payments.release(reference_id=payment.reference_id)
    assert released is not None
    assert released.refunded_minor == AMOUNT


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.HANG_AFTER_COMMIT])
async def test_unknown_outcome_is_cleared_up_by_the_same_key(market: Market, fault: RequestFault) -> None:
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
    assert [type(event) for event in market.told] == [PaymentAuthorised]


async def test_error_that_is_replayed_for_ever_is_looked_up(market: Market) -> None:
    reference_id = uuid4()
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id, card="pm_sandbox_serverError")
    payment = await market.authorise(reference_id, card="pm_sandbox_serverError")
    assert payment.status is PaymentStatus.AUTHORISED
    assert len(await market.intents()) == 1


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED])
async def test_key_that_the_processor_may_have_forgotten_is_not_replayed(market: Market, fault: RequestFault) -> None:
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


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED])
async def test_release_while_the_authorisation_is_unknown_leaves_nothing_reserved(
    market: Market, fault: RequestFault
) -> None:
    reference_id = uuid4()
    market.faults.set(fault, fault)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    market.faults.set(RequestFault.RATE_LIMITED)
    with pytest.raises(PaymentPending):
        await market.payments.release(reference_id=reference_id)
    market.move(timedelta(seconds=31))
    await market.work()
    payment = await market.payments.find_payment(reference_id=reference_id)
    assert payment is not None
    assert payment.status is PaymentStatus.VOIDED
    assert [intent["status"] for intent in await market.intents()] == ["canceled"]


async def test_unknown_refund_keeps_its_reservation_until_it_is_known(market: Market) -> None:
    payment = await market.captured()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT, path_end="/refunds")
    with pytest.raises(PaymentPending):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="a")
    with pytest.raises(RefundTooLarge):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="b")
    market.move(timedelta(hours=25))
    known = await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="a")
    assert known.refunded_minor == 8_000
    assert len((await market.get("/v1/refunds"))["data"]) == 1


@pytest.mark.parametrize("fault", [RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED])
async def test_capture_whose_key_is_spent_is_looked_up(market: Market, fault: RequestFault) -> None:
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


async def test_refund_that_never_arrived_frees_its_reservation(market: Market) -> None:
    payment = await market.captured()
    market.faults.set(RequestFault.RATE_LIMITED)
    with pytest.raises(PaymentPending):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="a")
    market.move(timedelta(hours=25))
    with pytest.raises(PaymentStateConflict):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=8_000, key="a")
    answer = await market.payments.refund(reference_id=payment.reference_id, amount_minor=AMOUNT, key="b")
    assert answer.refunded_minor == AMOUNT


async def test_release_while_a_partial_refund_is_in_flight_gives_back_only_the_rest(market: Market) -> None:
    payment = await market.captured()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT, path_end="/refunds")
    with pytest.raises(PaymentPending):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="part")
    released = await market.payments.release(reference_id=payment.reference_id)
    assert released is not None
    assert released.refunded_minor == AMOUNT
    refunds = (await market.get("/v1/refunds"))["data"]
    assert sorted(refund["amount"] for refund in refunds) == [5_000, AMOUNT - 5_000]


async def test_release_gives_back_what_a_refused_partial_refund_had_reserved(market: Market) -> None:
    """The refund of the rest is open already when the part becomes free, and must not be overwritten."""
    payment = await market.captured()
    market.faults.set(RequestFault.RATE_LIMITED)
    with pytest.raises(PaymentPending):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="part")
    market.faults.set(RequestFault.RATE_LIMITED)
    with pytest.raises(PaymentPending):
        await market.payments.release(reference_id=payment.reference_id)
    market.move(timedelta(hours=25))
    for _ in range(3):
        # Each of the two keys has expired: the processor has no such refund, and it is asked again.
        with contextlib.suppress(PaymentPending):
            await market.payments.release(reference_id=payment.reference_id)
    refunds = (await market.get("/v1/refunds"))["data"]
    assert sum(refund["amount"] for refund in refunds) == AMOUNT
    released = await market.payments.find_payment(reference_id=payment.reference_id)
    assert released is not None
    assert (released.refunded_minor, released.is_being_released) == (AMOUNT, False)


async def test_plan_that_cannot_reserve_what_it_gives_back_is_an_error(market: Market) -> None:
    payment = await market.captured()
    async with market.db.write() as tx:
        row = await store.lock_payment(tx, payment.id)
        await store.change_payment(tx, payment.id, wants_release=True)
        assert not await store.reserve_refund(tx, payment.id, observing.left_minor(row) + 1)
        await observing.plan_next(tx, payment.id)
    # What is reserved already is not planned again.
    async with market.db.write() as tx:
        await observing.plan_next(tx, payment.id)
        assert (await store.get_payment(tx, payment.id)).refunding_minor == AMOUNT


@pytest.mark.parametrize(("amount_minor", "currency"), [(6_175, "BHD"), (50, "MGA")])
async def test_refund_that_the_processor_cannot_count_is_refused(
    market: Market, amount_minor: int, currency: str
) -> None:
    reference_id = uuid4()
    await market.payments.authorise(
        reference_id=reference_id,
        payer_id=uuid4(),
        amount_minor=100_000,
        currency=currency,
        payment_method="pm_card_visa",
        return_url="http://shop.test/return",
    )
    await market.payments.capture(reference_id=reference_id)
    with pytest.raises(AmountNotChargeable):
        await market.payments.refund(reference_id=reference_id, amount_minor=amount_minor, key="part")
