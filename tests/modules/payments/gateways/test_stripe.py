"""How the adapter reads the answers of Stripe, against a server whose answers each test chooses."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fairground.contracts.payments import PaymentStatus
from fairground.kernel.zones import SystemClock
from fairground.modules.payments.gateways.processor import (
    IdempotencyKeyConsumed,
    NewIntent,
    ProcessorDeclined,
    ProcessorUnavailable,
)
from fairground.modules.payments.gateways.stripe import StripeProcessor


class Account:
    async def api_key(self) -> str:
        return "sk_test_1"

    async def webhook_secret(self) -> str:
        return "whsec_1"


def processor_of(*answers: httpx.Response, asked: list[httpx.Request] | None = None) -> StripeProcessor:
    queue = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return queue.pop(0)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://stripe.test")
    return StripeProcessor(client=client, account=Account(), clock=SystemClock(), timeout_seconds=1)


def intent(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": "pi_1", "status": "succeeded", "currency": "eur", "amount_received": 500}
    return plain | {"metadata": {}, "last_payment_error": None, "next_action": None} | changes


def failure(status: int, headers: dict[str, str] | None = None, **error: Any) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"error": error})


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (failure(402, type="card_error", code="card_declined"), ProcessorDeclined),
        (failure(400, type="invalid_request_error", code="amount_too_large"), ProcessorDeclined),
        (failure(404, type="invalid_request_error", code="resource_missing"), ProcessorDeclined),
        (failure(400, type="idempotency_error"), ProcessorUnavailable),
        (failure(401, type="invalid_request_error"), ProcessorUnavailable),
        (failure(429, code="rate_limit"), ProcessorUnavailable),
        (failure(500, type="api_error"), ProcessorUnavailable),
        (failure(500, {"idempotent-replayed": "true"}, type="api_error"), IdempotencyKeyConsumed),
        (httpx.Response(502, text="<html>"), ProcessorUnavailable),
        (httpx.Response(200, text="<html>"), ProcessorUnavailable),
    ],
)
async def test_failure_is_unavailable_declined_or_consumed_key(
    answer: httpx.Response, meaning: type[Exception]
) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - its exact class is what is judged
        await processor_of(answer).capture("pi_1", key=uuid4())
    assert type(raised.value) is meaning


async def test_timeout_is_unavailable() -> None:
    def hang(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    client = httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="http://stripe.test")
    processor = StripeProcessor(client=client, account=Account(), clock=SystemClock(), timeout_seconds=1)
    with pytest.raises(ProcessorUnavailable):
        await processor.get_snapshot("pi_1")


async def test_conflict_with_a_twin_is_retried_with_the_same_key() -> None:
    asked: list[httpx.Request] = []
    busy = failure(409, code="idempotency_key_in_use")
    key = uuid4()
    snapshot = await processor_of(busy, busy, httpx.Response(200, json=intent()), asked=asked).capture("pi_1", key=key)
    assert snapshot.status is PaymentStatus.CAPTURED
    assert {request.headers["idempotency-key"] for request in asked} == {str(key)}


@pytest.mark.parametrize(
    ("currency", "minor", "at_stripe"), [("EUR", 500, 500), ("JPY", 500, 500), ("ISK", 500, 50_000), ("MGA", 500, 5)]
)
async def test_amounts_are_counted_as_stripe_counts_them(currency: str, minor: int, at_stripe: int) -> None:
    asked: list[httpx.Request] = []
    answer = httpx.Response(200, json=intent(currency=currency.lower(), amount_received=at_stripe))
    new = NewIntent(
        payment_id=uuid4(), amount_minor=minor, currency=currency, payment_method="pm_1", return_url="http://a.test"
    )
    snapshot = await processor_of(answer, asked=asked).create(new, key=uuid4())
    assert f"amount={at_stripe}&" in asked[0].content.decode()
    assert snapshot.captured_minor == minor


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ({"status": "requires_payment_method"}, PaymentStatus.STARTED),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}, PaymentStatus.FAILED),
        ({"status": "processing"}, PaymentStatus.STARTED),
        ({"status": "requires_action"}, PaymentStatus.REQUIRES_ACTION),
        ({"status": "requires_capture"}, PaymentStatus.AUTHORISED),
        ({"status": "canceled"}, PaymentStatus.VOIDED),
    ],
)
async def test_each_status_has_its_meaning(seen: dict[str, Any], status: PaymentStatus) -> None:
    processor = processor_of(httpx.Response(200, json=intent(**seen)))
    assert (await processor.get_snapshot("pi_1")).status is status


async def test_foreign_metadata_is_not_ours() -> None:
    named = httpx.Response(200, json=intent(metadata={"payment_id": "order 7"}))
    assert (await processor_of(named).get_snapshot("pi_1")).payment_id is None


NOT_STRIPES: Final = [
    httpx.Response(200, json={}),
    httpx.Response(200, json=[]),
    httpx.Response(200, json=None),
    httpx.Response(200, json="ok"),
    httpx.Response(200, content=b""),
    httpx.Response(200, content=b"\xff\xfe"),
    httpx.Response(200, content=b"[" * 100_000),
    httpx.Response(200, content=b'{"id": ' + b"9" * 10_000 + b"}"),
    httpx.Response(200, json=intent(id=7)),
    httpx.Response(200, json=intent(id="../refunds")),
    httpx.Response(200, json=intent(status=None)),
    httpx.Response(200, json=intent(amount_received="500")),
    httpx.Response(200, json=intent(amount_received=True)),
    httpx.Response(200, json=intent(amount_received=5.5)),
    httpx.Response(200, json=intent(amount_received=-1)),
    httpx.Response(200, json=intent(amount_received=10**30)),
    httpx.Response(200, json=intent(currency="isk", amount_received=550)),
    httpx.Response(200, json=intent(currency=None)),
    httpx.Response(200, json=intent(metadata=[])),
    httpx.Response(200, json=intent(next_action="redirect")),
    httpx.Response(200, json=intent(last_payment_error="declined")),
    httpx.Response(204),
    httpx.Response(301, headers={"location": "https://elsewhere.test"}, json={"error": {"code": "moved"}}),
    httpx.Response(304),
    httpx.Response(400, json={"message": "a proxy says no"}),
    httpx.Response(404, json=[]),
    httpx.Response(404, text="<html>"),
    httpx.Response(402, json={"error": "declined"}),
    httpx.Response(402, json={"error": {"code": 7}}),
    httpx.Response(402, json={"error": {"code": "card_declined", "payment_intent": {"id": "pi_1"}}}),
    httpx.Response(500, json=[]),
    httpx.Response(503, text="<html>"),
]


@pytest.mark.parametrize("number", range(len(NOT_STRIPES)))
async def test_answer_that_is_not_stripes_leaves_the_operation_open(number: int) -> None:
    with pytest.raises(ProcessorUnavailable) as raised:
        await processor_of(NOT_STRIPES[number]).capture("pi_1", key=uuid4())
    assert type(raised.value) is ProcessorUnavailable


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"id": "re_1"},
        {"id": "re_1", "amount": "5", "currency": "eur"},
        {"data": []},
        {"data": [{}]},
        {"data": {}, "has_more": False},
        {"data": [], "has_more": "no"},
        {"data": [], "has_more": True},
    ],
)
async def test_refunds_and_lists_of_another_shape_are_unavailable(body: Any) -> None:
    asked: dict[str, Callable[[StripeProcessor], Awaitable[Any]]] = {
        "refund": lambda one: one.refund("pi_1", amount_minor=5, currency="EUR", refund_id=uuid4(), key=uuid4()),
        "list_refunds": lambda one: one.list_refunds("pi_1"),
        "find_snapshot": lambda one: one.find_snapshot(uuid4(), since=datetime.now(UTC)),
    }
    for ask in asked.values():
        with pytest.raises(ProcessorUnavailable):
            await ask(processor_of(httpx.Response(200, json=body)))
    if body != {"data": [], "has_more": True}:  # no more events is what an end of them looks like
        with pytest.raises(ProcessorUnavailable):
            await processor_of(httpx.Response(200, json=body)).list_events(after=None)


async def test_refunds_beyond_the_first_page_are_listed() -> None:
    def page(first: int, *, has_more: bool) -> httpx.Response:
        refunds = [
            {"id": f"re_{number}", "status": "succeeded", "amount": 1, "currency": "eur", "metadata": {}}
            for number in range(first, first + 100)
        ]
        return httpx.Response(200, json={"data": refunds, "has_more": has_more})

    asked: list[httpx.Request] = []
    processor = processor_of(page(0, has_more=True), page(100, has_more=False), asked=asked)
    listed = await processor.list_refunds("pi_1")
    assert [refund.processor_refund_id for refund in listed] == [f"re_{number}" for number in range(200)]
    assert [request.url.params.get("starting_after") for request in asked] == [None, "re_99"]
