"""The adapter: Stripe's HTTP API, at api.stripe.com or at the sandbox in this process. ADR-0003 says why not its SDK.

Sources: docs.stripe.com/api/payment_intents, /refunds, /events, /errors and /idempotent_requests.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import httpx
import structlog

from fairground.contracts.payments import PaymentStatus
from fairground.kernel.clock import Clock
from fairground.modules.payments.domain import Standing
from fairground.modules.payments.gateways.processor import (
    KeyIsSpent,
    NewIntent,
    NoAnswer,
    ProcessorEvent,
    ProcessorRefund,
    Refused,
)
from fairground.modules.payments.gateways.signature import require_signature

log = structlog.get_logger(__name__)

Json = Mapping[str, Any]

API_VERSION: Final = "2026-10-28.endive"
_PAGE: Final = 100
_TWIN_PAUSE_SECONDS: Final = 0.2
# A clock of ours that runs ahead must not hide an intent from a search by its time.
_CLOCK_SKEW: Final = timedelta(minutes=10)
_SEARCHED: Final = timedelta(days=1)
_STATUS_OF: Final = {
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}
# Stripe counts these in hundredths, though they have none (docs.stripe.com/currencies#special-cases).
_HUNDREDTHS_AT_STRIPE: Final = frozenset({"ISK", "UGX"})
_PASSING: Final = frozenset({401, 403, 429})
_OURS_TO_MEND: Final = frozenset({401, 403})
_GONE_THROUGH: Final = frozenset({"succeeded", "pending"})


class StripeAccount(Protocol):
    """Where the secrets of an account come from."""

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

    async def create(self, new: NewIntent, *, key: UUID) -> Standing:
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
        return _standing(await self._post("/v1/payment_intents", form, key=key))

    async def capture(self, intent_id: str, *, key: UUID) -> Standing:
        return _standing(await self._post(f"/v1/payment_intents/{intent_id}/capture", {}, key=key))

    async def cancel(self, intent_id: str, *, key: UUID) -> Standing:
        return _standing(await self._post(f"/v1/payment_intents/{intent_id}/cancel", {}, key=key))

    async def refund(self, intent_id: str, *, amount_minor: int, currency: str, refund_id: UUID, key: UUID) -> str:
        form = {
            "payment_intent": intent_id,
            "amount": _to_stripe(amount_minor, currency),
            "metadata[refund_id]": str(refund_id),
        }
        made = await self._post("/v1/refunds", form, key=key)
        if made["status"] not in _GONE_THROUGH:
            raise Refused(str(made.get("failure_reason") or made["status"]))
        return str(made["id"])

    async def get_standing(self, intent_id: str) -> Standing:
        return _standing(await self._get(f"/v1/payment_intents/{intent_id}", {}))

    async def find_standing(self, payment_id: UUID, *, since: datetime) -> Standing | None:
        asked: dict[str, Any] = {
            "limit": _PAGE,
            "created[gte]": int((since - _CLOCK_SKEW).timestamp()),
            "created[lte]": int((since + _SEARCHED).timestamp()),
        }
        while True:
            page = await self._get("/v1/payment_intents", asked)
            for intent in page["data"]:
                if intent["metadata"].get("payment_id") == str(payment_id):
                    return _standing(intent)
            if not page["has_more"]:
                return None
            asked["starting_after"] = page["data"][-1]["id"]

    async def list_refunds(self, intent_id: str) -> Sequence[ProcessorRefund]:
        page = await self._get("/v1/refunds", {"payment_intent": intent_id, "limit": _PAGE})
        return [_refund(refund) for refund in page["data"] if refund["status"] in _GONE_THROUGH]

    async def list_events(self, *, after: str | None) -> tuple[Sequence[ProcessorEvent], bool]:
        page = await self._get("/v1/events", {"limit": _PAGE} | ({"ending_before": after} if after else {}))
        return [_event(event) for event in reversed(page["data"])], bool(page["has_more"])

    async def read_webhook(self, body: bytes, *, headers: Mapping[str, str]) -> ProcessorEvent:
        secret, now = await self._account.webhook_secret(), self._clock.now().timestamp()
        require_signature(headers.get("stripe-signature", ""), body, secret=secret, now=now)
        return _event(json.loads(body))

    async def _get(self, path: str, params: Mapping[str, Any]) -> Json:
        return await self._send("GET", path, params=params)

    async def _post(self, path: str, form: Mapping[str, Any], *, key: UUID) -> Json:
        return await self._send("POST", path, data=form, headers={"idempotency-key": str(key)})

    async def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **content: Any) -> Json:
        proof = {"authorization": f"Bearer {await self._account.api_key()}", "stripe-version": API_VERSION}
        try:
            # httpx counts pauses between bytes, and nothing at all within this process; what matters is the whole.
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.request(method, path, headers=proof | dict(headers or {}), **content)
                while response.status_code == httpx.codes.CONFLICT:
                    # A twin with the same key is in flight, and its result will be ours.
                    await asyncio.sleep(_TWIN_PAUSE_SECONDS)
                    response = await self._client.request(method, path, headers=proof | dict(headers or {}), **content)
            answer: Json = response.json()
        except (TimeoutError, httpx.HTTPError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from error
        if response.is_success:
            return answer
        raise _failure(response, answer.get("error", {}))


def _failure(response: httpx.Response, error: Json) -> Exception:
    code = str(error.get("code") or error.get("type") or response.status_code)
    if response.is_server_error:
        replayed = response.headers.get("idempotent-replayed") == "true"
        return KeyIsSpent(code) if replayed else NoAnswer(code)
    if response.status_code in _PASSING or error.get("type") == "idempotency_error":
        if response.status_code in _OURS_TO_MEND or error.get("type") == "idempotency_error":
            log.error("payments.processor_misused", status=response.status_code, code=code)
        return NoAnswer(code)
    intent = error.get("payment_intent")
    return Refused(_reason(error) or code, standing=_standing(intent) if intent else None)


def _standing(intent: Json) -> Standing:
    status = _STATUS_OF.get(intent["status"], PaymentStatus.STARTED)
    failure = intent.get("last_payment_error")
    if intent["status"] == "requires_payment_method" and failure:
        status = PaymentStatus.FAILED
    action = intent.get("next_action") or {}
    return Standing(
        intent_id=intent["id"],
        payment_id=_our_id(intent, "payment_id"),
        status=status,
        captured_minor=_from_stripe(intent["amount_received"], intent["currency"]),
        action_url=action.get("redirect_to_url", {}).get("url"),
        failure_code=_reason(failure) if failure else None,
    )


def _refund(refund: Json) -> ProcessorRefund:
    return ProcessorRefund(
        processor_refund_id=refund["id"],
        refund_id=_our_id(refund, "refund_id"),
        amount_minor=_from_stripe(refund["amount"], refund["currency"]),
    )


def _event(event: Json) -> ProcessorEvent:
    about = event["data"]["object"]
    is_intent = about.get("object") == "payment_intent"
    return ProcessorEvent(
        event_id=event["id"], kind=event["type"], intent_id=about["id"] if is_intent else about.get("payment_intent")
    )


def _our_id(named: Json, name: str) -> UUID | None:
    """Read an id that we gave; whatever else stands there was written by somebody else."""
    try:
        return UUID(named["metadata"][name])
    except (KeyError, ValueError, TypeError):
        return None


def _reason(error: Json) -> str | None:
    decline = error.get("decline_code")
    return str(decline) if decline and decline != "generic_decline" else error.get("code")


def _to_stripe(amount_minor: int, currency: str) -> int:
    return amount_minor * 100 if currency.upper() in _HUNDREDTHS_AT_STRIPE else amount_minor


def _from_stripe(amount: int, currency: str) -> int:
    return amount // 100 if currency.upper() in _HUNDREDTHS_AT_STRIPE else amount
