"""Refunding and releasing payments, on both databases, against the sandbox."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from fairground.contracts.payments import (
    AmountNotChargeable,
    PaymentNotFound,
    PaymentPending,
    PaymentReleased,
    PaymentStateConflict,
    PaymentStatus,
    RefundTooLarge,
)
from fairground.modules.payments import store
from fairground.modules.payments.service import operations, payment_state
from fairground.modules.payments.service.operations import RefundNotReserved
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import AMOUNT, Market


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
    released_events = [event for event in market.events if isinstance(event, PaymentReleased)]
    assert [event.refunded_minor for event in released_events] == [0]


async def test_release_refunds_what_is_left_of_a_captured_payment(market: Market) -> None:
    payment = await market.captured()
    await market.payments.refund(reference_id=payment.reference_id, amount_minor=4_000, key="a")
    for _ in range(2):
        released = await market.payments.release(reference_id=payment.reference_id)
        assert released is not None
        assert (released.status, released.refunded_minor) == (PaymentStatus.CAPTURED, AMOUNT)
    await market.work()
    released_events = [event for event in market.events if isinstance(event, PaymentReleased)]
    assert [event.refunded_minor for event in released_events] == [4_000, AMOUNT]


async def test_reference_without_a_payment_gives_none(market: Market) -> None:
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


async def test_refund_above_what_is_left_is_refused_without_a_call(market: Market) -> None:
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


async def test_release_after_a_refund_by_hand_gives_nothing_back(market: Market) -> None:
    payment = await market.captured()
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"]})
    released = await market.payments.release(reference_id=payment.reference_id)
    assert released is not None
    assert released.refunded_minor == AMOUNT


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


async def test_refund_keeps_its_reservation_until_its_outcome_is_known(market: Market) -> None:
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


async def test_release_refund_is_planned_once(market: Market) -> None:
    payment = await market.captured()
    async with market.db.write() as tx:
        locked = await store.lock_payment(tx, payment.id)
        assert not await store.reserve_refund(tx, payment.id, locked.left_minor + 1)
        await payment_state.request_release(tx, locked)
    async with market.db.write() as tx:
        locked = await store.lock_payment(tx, payment.id)
        assert await operations.start_next_operation(tx, locked, locked) == locked
        assert (await store.get_payment(tx, payment.id)).refunding_minor == AMOUNT


async def test_release_refund_that_cannot_be_reserved_is_an_error(market: Market) -> None:
    payment = await market.captured()
    async with market.db.write() as tx:
        locked = await store.lock_payment(tx, payment.id)
        with pytest.raises(RefundNotReserved):
            await payment_state.request_release(tx, replace(locked, captured_minor=AMOUNT + 1))


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
