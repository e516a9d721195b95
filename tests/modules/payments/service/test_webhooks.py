"""The webhook inbox: repeated, late, lost and reordered events end in one state."""

import itertools
import json
import random
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from fairground.contracts.payments import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentNotFound,
    PaymentPending,
    PaymentReleased,
    PaymentStatus,
)
from fairground.modules.payments import store
from fairground.modules.payments.service.reconciliation import Reconcile
from fairground.sandbox.stripe.api import RequestFault
from fairground.sandbox.stripe.webhooks import sign
from tests.modules.payments.market import AMOUNT, Market
from tests.support.proofs import Dose


@pytest.mark.proof
async def test_events_in_any_order_end_in_the_same_state(market: Market, dose: Dose) -> None:
    payment = await market.captured()
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 2_000})
    await market.work()
    events = (await market.get("/v1/events"))["data"]
    orders = list(itertools.permutations(events))
    assert len(orders) == 24
    for number, order in enumerate(random.sample(orders, dose(small=4, full=24))):
        for event in [*order, *order, *order]:
            await receive(market, event | {"id": f"{event['id']}_{number}"})
        await market.work()
        known = await market.payments.find_payment(reference_id=payment.reference_id)
        assert known is not None
        assert (known.status, known.captured_minor, known.refunded_minor) == (PaymentStatus.CAPTURED, AMOUNT, 2_000)
    assert [type(event) for event in market.events] == [PaymentAuthorised, PaymentCaptured, PaymentReleased]


async def receive(market: Market, event: object) -> None:
    body = json.dumps(event).encode()
    at = int(market.clock.now().timestamp())
    header = sign(body, secret=await market.sandbox.webhook_secret(), at=at)
    await market.inbox.receive(body=body, headers={"stripe-signature": header})


async def test_webhook_that_overtakes_the_answer_is_not_lost(market: Market) -> None:
    reference_id = uuid4()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT)
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id)
    await market.sandbox.sender.send_due()
    await market.work()
    known = await market.payments.find_payment(reference_id=reference_id)
    assert known is not None
    assert known.status is PaymentStatus.AUTHORISED
    assert await market.authorise(reference_id) == known
    await market.work()
    assert [type(event) for event in market.events] == [PaymentAuthorised]


async def test_lost_webhooks_are_found_by_the_list_of_events(market: Market) -> None:
    reference_id = uuid4()
    asked = await market.authorise(reference_id, card="pm_card_authenticationRequired")
    await market.reconciliation.run(Reconcile())
    await market.work()
    pages = httpx.ASGITransport(Starlette(routes=market.sandbox.page_routes))
    async with httpx.AsyncClient(transport=pages) as browser:
        await browser.post(str(asked.action_url), data={"outcome": "complete"})
    await market.reconciliation.run(Reconcile())
    await market.work()
    known = await market.payments.find_payment(reference_id=reference_id)
    assert known is not None
    assert known.status is PaymentStatus.AUTHORISED


async def test_forgotten_cursor_restarts_from_the_newest_events(market: Market) -> None:
    await market.authorise(uuid4())
    async with market.db.write() as tx:
        await store.set_cursor(tx, "evt_long_ago")
    await market.reconciliation.run(Reconcile())
    async with market.db.read() as tx:
        newest = (await market.get("/v1/events"))["data"][0]["id"]
        assert await store.find_cursor(tx) == newest


async def test_intent_of_another_program_is_left_alone(market: Market) -> None:
    await market.post("/v1/payment_intents", {"amount": 500, "currency": "eur"})
    await market.sandbox.sender.send_due()
    await market.work()
    assert [intent["status"] for intent in await market.intents()] == ["requires_payment_method"]


async def test_event_of_an_unknown_payment_is_retried(market: Market) -> None:
    named = {"metadata[payment_id]": str(uuid4())}
    await market.post("/v1/payment_intents", {"amount": 500, "currency": "eur"} | named)
    await market.sandbox.sender.send_due()
    with pytest.raises(PaymentNotFound):
        await market.work()


async def test_refund_made_by_hand_is_counted_once(market: Market) -> None:
    payment = await market.captured()
    [intent] = await market.intents()
    await market.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 2_000})
    for _ in range(2):
        await market.sandbox.sender.send_due()
        await market.work()
        refreshed = await market.payments.refresh(reference_id=payment.reference_id)
        assert refreshed is not None
        assert refreshed.refunded_minor == 2_000
        market.move(timedelta(hours=1))


async def test_refund_whose_webhook_overtakes_the_answer_is_counted_once(market: Market) -> None:
    payment = await market.captured()
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT, path_end="/refunds")
    with pytest.raises(PaymentPending):
        await market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="a")
    await market.sandbox.sender.send_due()
    await market.work()
    answer = await market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="a")
    assert answer.refunded_minor == 5_000
