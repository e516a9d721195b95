"""What each mutating call does: read the object, apply the state machine, save the result and an event about it.

One call is one transaction. A decline is a result too: it is saved first and raised then, and the transaction commits
all the same.
"""

import secrets
import string
from dataclasses import dataclass
from typing import Final

from fairground.sandbox.stripe import cards, intents, protocol, store
from fairground.sandbox.stripe.intents import Intent, Status
from fairground.sandbox.stripe.protocol import (
    CancelIntent,
    CaptureIntent,
    ConfirmIntent,
    CreateIntent,
    CreateRefund,
    Json,
    StripeError,
)
from fairground.sandbox.stripe.store import Tx

API_VERSION: Final = "2026-10-28.endive"
_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class Call:
    """The circumstances of a mutation, beside its parameters. Times are Unix seconds."""

    tx: Tx
    now: int
    webhook_due_at: float
    page_url: str
    idempotency_key: str | None = None


def new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(24))


def create_intent(call: Call, params: CreateIntent) -> Json:
    cards.require_amount(params.amount, params.currency)
    if params.payment_method is not None:
        cards.find_card(params.payment_method)
    intent_id = new_id("pi_")
    intent = Intent(
        id=intent_id,
        client_secret=f"{intent_id}_secret_{secrets.token_urlsafe(18)}",
        authentication_url=f"{call.page_url}/{intent_id}/{secrets.token_urlsafe(18)}",
        created=call.now,
        status=Status.REQUIRES_CONFIRMATION if params.payment_method else Status.REQUIRES_PAYMENT_METHOD,
        **params.model_dump(exclude={"confirm", "payment_method_types"}),
    )
    store.save_intent(call.tx, intent)
    _add_event(call, "payment_intent.created", intent.wire())
    return _confirm(call, intent) if params.confirm else intent.wire()


def confirm_intent(call: Call, intent_id: str, params: ConfirmIntent) -> Json:
    if params.payment_method is not None:
        cards.find_card(params.payment_method)
    return _confirm(call, get_intent(call.tx, intent_id).model_copy(update=params.model_dump(exclude_none=True)))


def capture_intent(call: Call, intent_id: str, params: CaptureIntent) -> Json:
    intent = get_intent(call.tx, intent_id)
    return _save(call, intents.capture(intent, amount_to_capture=params.amount_to_capture))


def cancel_intent(call: Call, intent_id: str, params: CancelIntent) -> Json:
    intent = get_intent(call.tx, intent_id)
    return _save(call, intents.cancel(intent, now=call.now, reason=params.cancellation_reason))


def authenticate_intent(call: Call, intent_id: str, *, passed: bool) -> Intent:
    """Continue after the 3-D Secure page and return the intent as it is now."""
    before = get_intent(call.tx, intent_id)
    after = intents.authenticate(before, passed=passed, charge=new_id("ch_"))
    if after != before:
        _save(call, after)
    return after


def create_refund(call: Call, params: CreateRefund) -> Json:
    intent = get_intent(call.tx, params.payment_intent, param="payment_intent")
    if intent.status is not Status.SUCCEEDED:
        raise protocol.invalid(f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.")
    left = intent.amount_received - store.refunded_amount(call.tx, intent.id)
    if not left:
        raise protocol.invalid(
            f"Charge {intent.latest_charge} has already been refunded.", code="charge_already_refunded"
        )
    amount = left if params.amount is None else params.amount
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise protocol.invalid(message, param="amount")
    cards.require_amount(amount, intent.currency)
    refund = {
        "id": new_id("re_"), "object": "refund", "amount": amount, "charge": intent.latest_charge, "created": call.now,
        "currency": intent.currency, "metadata": params.metadata, "payment_intent": intent.id, "reason": params.reason,
        "status": "succeeded",
    }  # fmt: skip
    store.insert_refund(call.tx, refund)
    _add_event(call, "refund.created", refund)
    return refund


def get_intent(tx: Tx, intent_id: str, *, param: str = "intent") -> Intent:
    intent = store.find_intent(tx, intent_id)
    if intent is None:
        raise protocol.no_such("payment_intent", intent_id, param=param)
    return intent


def _confirm(call: Call, intent: Intent) -> Json:
    confirmed = intents.confirm(intent, charge=new_id("ch_"))
    shown = _save(call, confirmed)
    if confirmed.last_payment_error:
        raise StripeError(402, confirmed.last_payment_error | {"payment_intent": shown})
    if cards.find_card(confirmed.payment_method or "").breaks_after_commit:
        raise protocol.server_error()
    return shown


def _save(call: Call, intent: Intent) -> Json:
    store.save_intent(call.tx, intent)
    shown = intent.wire()
    _add_event(call, intents.EVENT_OF[intent.status], shown)
    return shown


def _add_event(call: Call, kind: str, shown: Json) -> None:
    event = {
        "id": new_id("evt_"), "object": "event", "type": kind, "created": call.now, "api_version": API_VERSION,
        "data": {"object": shown}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": call.idempotency_key},
    }  # fmt: skip
    store.insert_event(call.tx, event, due_at=call.webhook_due_at)
