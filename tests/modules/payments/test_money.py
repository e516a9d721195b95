"""No minor unit appears or is lost, for any operations on a payment in any order and with any failures."""

import contextlib
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fairground.contracts.payments import Payment, PaymentStatus
from fairground.kernel.errors import DomainError
from fairground.modules.payments import store
from fairground.modules.payments.service.reconciliation import Reconcile
from fairground.modules.payments.tables import RefundRow
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import Market
from tests.support.proofs import Dose

STATUS_OF: Final = {
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}
FAULTS: Final = [None, None, RequestFault.ERROR_AFTER_COMMIT, RequestFault.RATE_LIMITED]

steps = st.one_of(
    st.just(("capture", 0, "")),
    st.just(("release", 0, "")),
    st.just(("webhooks", 0, "")),
    st.tuples(st.just("refund"), st.integers(1, 1_100), st.sampled_from("abc")),
    st.tuples(st.just("refund_by_hand"), st.integers(1, 1_100), st.just("")),
)


@pytest.mark.proof
@settings(
    max_examples=Dose()(small=15, full=150),
    deadline=None,
    # Against a real database a failure takes minutes to shrink; its seed is printed and does as well.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    amount=st.integers(1, 1_000),
    first_fault=st.sampled_from(FAULTS),
    sequence=st.lists(st.tuples(steps, st.sampled_from(FAULTS)), max_size=8),
)
async def test_captured_is_refunded_plus_kept_and_both_sides_agree(
    market: Market, amount: int, first_fault: RequestFault | None, sequence: list[Any]
) -> None:
    reference_id = uuid4()
    market.faults.set(*filter(None, [first_fault]))
    with contextlib.suppress(DomainError):
        await market.authorise(reference_id, amount=amount)
    for (name, number, key), fault in sequence:
        market.faults.set(*filter(None, [fault]))
        with contextlib.suppress(DomainError):
            await carry_out(market, reference_id, name, number=number, key=key)
        payment = await market.payments.find_payment(reference_id=reference_id)
        assert payment is not None
        assert 0 <= payment.refunded_minor <= payment.captured_minor <= payment.amount_minor == amount
        await every_reservation_has_its_refund(market, payment)
    await settle_everything(market)
    payment = await market.payments.refresh(reference_id=reference_id)
    assert payment is not None
    await agree(market, payment)


async def carry_out(market: Market, reference_id: Any, name: str, *, number: int, key: str) -> None:
    match name:
        case "capture":
            await market.payments.capture(reference_id=reference_id)
        case "release":
            await market.payments.release(reference_id=reference_id)
        case "refund":
            await market.payments.refund(reference_id=reference_id, amount_minor=number, key=key)
        case "refund_by_hand":
            await refund_by_hand(market, reference_id, amount=number)
        case _:
            await market.sandbox.sender.send_due()
            await market.work()


async def refund_by_hand(market: Market, reference_id: Any, *, amount: int) -> None:
    async with market.db.read() as tx:
        payment = await store.find_newest(tx, reference_id)
    assert payment is not None
    headers = {"authorization": f"Bearer {await market.sandbox.api_key()}"}
    form = {"payment_intent": payment.intent_id or "pi_none", "amount": amount}
    await market.stripe.post("/v1/refunds", data=form, headers=headers)


async def every_reservation_has_its_refund(market: Market, payment: Payment) -> None:
    open_refunds = select(func.sum(RefundRow.amount_minor)).where(
        RefundRow.payment_id == payment.id, RefundRow.status == "started"
    )
    async with market.db.read() as tx:
        reserved = (await store.get_payment(tx, payment.id)).refunding_minor
        assert reserved == (await tx.scalar(open_refunds) or 0)


async def settle_everything(market: Market) -> None:
    market.faults.set()
    market.move(timedelta(minutes=5))
    await market.reconciliation.run(Reconcile())
    await market.sandbox.sender.send_due()
    await market.work()


async def agree(market: Market, payment: Payment) -> None:
    """Compare the payment with what the processor has."""
    async with market.db.read() as tx:
        row = await store.get_payment(tx, payment.id)
    assert (row.open_key, row.refunding_minor) == (None, 0)
    if row.intent_id is None:
        assert payment.status is PaymentStatus.FAILED
        return
    intent = await market.get(f"/v1/payment_intents/{row.intent_id}")
    refunds = (await market.get(f"/v1/refunds?payment_intent={row.intent_id}&limit=100"))["data"]
    assert payment.status is STATUS_OF[intent["status"]]
    assert payment.captured_minor == intent["amount_received"]
    assert payment.refunded_minor == sum(refund["amount"] for refund in refunds)
    if row.wants_release:
        assert payment.refunded_minor == payment.captured_minor
