"""The adapter: Stripe's HTTP API, at api.stripe.com or at the sandbox in this process. ADR-0003 says why not its SDK.

Sources: docs.stripe.com/api/payment_intents, /refunds, /events, /errors and /idempotent_requests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import httpx
import structlog

from fairground.kernel.money import AmountInvalid, processor_amount
from fairground.kernel.zones import Clock
from fairground.modules.payments.domain import IntentSnapshot, ProcessorRefund
from fairground.modules.payments.gateways import stripe_objects
from fairground.modules.payments.gateways.processor import (
    EventUnreadable,
    IdempotencyKeyConsumed,
    NewIntent,
    ProcessorDeclined,
    ProcessorEvent,
    ProcessorUnavailable,
)
from fairground.modules.payments.gateways.stripe_objects import (
    EventPage,
    IntentPage,
    PaymentIntent,
    RefundPage,
    Refusal,
    StripeEvent,
    StripeObject,
    StripeRefund,
    Unreadable,
    require_signature,
)

log = structlog.get_logger(__name__)

API_VERSION: Final = "2026-10-28.endive"
_PAGE: Final = 100
_TWIN_PAUSE_SECONDS: Final = 0.2
# A clock of ours that runs ahead must not hide an intent from a search by its time.
_CLOCK_SKEW: Final = timedelta(minutes=10)
_SEARCHED: Final = timedelta(days=1)
_TEMPORARY: Final = frozenset({401, 403, 429})
_OURS_TO_REPAIR: Final = frozenset({401, 403})

Read = TypeVar("Read", bound=StripeObject)


class StripeAccount(Protocol):
    """The source of an account's secrets."""

    async def api_key(self) -> str: ...

    async def webhook_secret(self) -> str: ...


class StripeProcessor:
    def __init__(
        self, *, client: httpx.AsyncClient, account: StripeAccount, clock: Clock, timeout_seconds: float
    ) -> None:
        self._client = client
        self._account = account
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def create(self, new: NewIntent, *, key: UUID) -> IntentSnapshot:
        form = {
            "amount": _to_stripe(new.amount_minor, new.currency),
            "currency": new.currency.lower(),
            "capture_method": "manual",
            "confirm": "true",
            "payment_method": new.payment_method,
            "payment_method_types[0]": "card",
            "return_url": new.return_url,
            "metadata[payment_id]": str(new.payment_id),
        }
        return await self._change("/v1/payment_intents", form, key=key)

    async def capture(self, intent_id: str, *, key: UUID) -> IntentSnapshot:
        return await self._change(f"/v1/payment_intents/{intent_id}/capture", {}, key=key)

    async def cancel(self, intent_id: str, *, key: UUID) -> IntentSnapshot:
        return await self._change(f"/v1/payment_intents/{intent_id}/cancel", {}, key=key)

    async def refund(self, intent_id: str, *, amount_minor: int, currency: str, refund_id: UUID, key: UUID) -> str:
        form = {
            "payment_intent": intent_id,
            "amount": _to_stripe(amount_minor, currency),
            "metadata[refund_id]": str(refund_id),
        }
        made = await self._post(StripeRefund, "/v1/refunds", form, key=key)
        if not made.has_gone_through:
            raise ProcessorDeclined(made.failure_reason or made.status or "unknown")
        return made.id

    async def get_snapshot(self, intent_id: str) -> IntentSnapshot:
        # Not in calls that change an intent: each is replayed with the parameters of its first time.
        expand = {"expand[0]": "payment_method"}
        return _snapshot(await self._get(PaymentIntent, f"/v1/payment_intents/{intent_id}", expand))

    async def find_snapshot(self, payment_id: UUID, *, since: datetime) -> IntentSnapshot | None:
        query: dict[str, Any] = {
            "limit": _PAGE,
            "created[gte]": int((since - _CLOCK_SKEW).timestamp()),
            "created[lte]": int((since + _SEARCHED).timestamp()),
        }
        while True:
            page = await self._get(IntentPage, "/v1/payment_intents", query)
            for intent in page.data:
                if intent.is_of(payment_id):
                    return _snapshot(intent)
            if not page.has_more:
                return None
            query["starting_after"] = _last_id(page.data)

    async def list_refunds(self, intent_id: str) -> Sequence[ProcessorRefund]:
        query: dict[str, Any] = {"payment_intent": intent_id, "limit": _PAGE}
        found: list[ProcessorRefund] = []
        while True:
            page = await self._get(RefundPage, "/v1/refunds", query)
            found += [_refund(refund) for refund in page.data if refund.has_gone_through]
            if not page.has_more:
                return found
            query["starting_after"] = _last_id(page.data)

    async def list_events(self, *, after: str | None) -> tuple[Sequence[ProcessorEvent], bool]:
        page = await self._get(EventPage, "/v1/events", {"limit": _PAGE} | ({"ending_before": after} if after else {}))
        return [event.event() for event in reversed(page.data)], page.has_more

    async def read_webhook(self, body: bytes, *, headers: Mapping[str, str]) -> ProcessorEvent:
        secret, now = await self._account.webhook_secret(), self._clock.now().timestamp()
        require_signature(headers.get("stripe-signature", ""), body, secret=secret, now=now)
        try:
            return stripe_objects.read(StripeEvent, body).event()
        except Unreadable as error:
            raise EventUnreadable(str(error)) from error

    async def _change(self, path: str, form: Mapping[str, Any], *, key: UUID) -> IntentSnapshot:
        return _snapshot(await self._post(PaymentIntent, path, form, key=key))

    async def _get(self, model: type[Read], path: str, params: Mapping[str, Any]) -> Read:
        return await self._send(model, "GET", path, params=params)

    async def _post(self, model: type[Read], path: str, form: Mapping[str, Any], *, key: UUID) -> Read:
        return await self._send(model, "POST", path, data=form, headers={"idempotency-key": str(key)})

    async def _send(
        self, model: type[Read], method: str, path: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Read:
        """Send a request and return the object of the answer.

        Raises:
            ProcessorUnavailable: Silence, or an answer that is not Stripe's: from a proxy, a redirect, or of an unknown
                shape. The operation may have happened, so it is repeated with the same key.
            IdempotencyKeyConsumed, ProcessorDeclined: As their names say.
        """
        response = await self._request(method, path, headers=headers or {}, **content)
        try:
            if response.is_success:
                return stripe_objects.read(model, response.content)
            refusal = _failure(response)
        except Unreadable as unreadable:
            log.warning(
                "payments.processor_answer_unreadable", status=response.status_code, reason=str(unreadable), path=path
            )
            raise ProcessorUnavailable("unreadable_answer") from unreadable
        raise refusal

    async def _request(self, method: str, path: str, *, headers: Mapping[str, str], **content: Any) -> httpx.Response:
        credentials = {"authorization": f"Bearer {await self._account.api_key()}", "stripe-version": API_VERSION}
        try:
            # Timeouts of httpx are for each read, and have no effect in this process; this one is for the whole call.
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.request(method, path, headers=credentials | dict(headers), **content)
                while response.status_code == httpx.codes.CONFLICT:
                    # A twin with the same key is in flight, and its result will be ours.
                    await asyncio.sleep(_TWIN_PAUSE_SECONDS)
                    response = await self._client.request(method, path, headers=credentials | dict(headers), **content)
        except (TimeoutError, httpx.HTTPError) as error:
            raise ProcessorUnavailable(type(error).__name__) from error
        return response


def _failure(response: httpx.Response) -> Exception:
    """Return what an answer that is no success means.

    Raises:
        Unreadable: It is not Stripe's.
    """
    if response.is_server_error:
        replayed = response.headers.get("idempotent-replayed") == "true"
        code = f"status_{response.status_code}"
        return IdempotencyKeyConsumed(code) if replayed else ProcessorUnavailable(code)
    if not response.is_client_error:
        return ProcessorUnavailable(f"status_{response.status_code}")
    error = stripe_objects.read(Refusal, response.content).error
    code = error.code or error.type or f"status_{response.status_code}"
    if response.status_code in _TEMPORARY or error.type == "idempotency_error":
        if response.status_code in _OURS_TO_REPAIR or error.type == "idempotency_error":
            log.error("payments.processor_misused", status=response.status_code, code=code)
        return ProcessorUnavailable(code)
    intent = error.payment_intent
    return ProcessorDeclined(error.reason or code, snapshot=_snapshot(intent) if intent else None)


def _snapshot(intent: PaymentIntent) -> IntentSnapshot:
    try:
        return intent.snapshot()
    except AmountInvalid as error:
        raise ProcessorUnavailable("fraction_of_a_minor_unit") from error


def _refund(refund: StripeRefund) -> ProcessorRefund:
    try:
        return refund.refund()
    except AmountInvalid as error:
        raise ProcessorUnavailable("fraction_of_a_minor_unit") from error


def _last_id(page: Sequence[PaymentIntent] | Sequence[StripeRefund]) -> str:
    if not page:
        raise ProcessorUnavailable("page_without_end")
    return page[-1].id


def _to_stripe(amount_minor: int, currency: str) -> int:
    try:
        return processor_amount(amount_minor, currency.upper())
    except AmountInvalid as error:
        raise ProcessorDeclined("amount_invalid") from error
