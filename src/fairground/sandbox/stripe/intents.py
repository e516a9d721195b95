"""PaymentIntents and their refunds: the life cycle, and what each call that changes one does.

The life cycle is that of docs.stripe.com/payments/paymentintents/lifecycle, as functions without I/O. A call reads the
object, applies the life cycle, and saves the result and an event about it in one transaction. A decline is a result
too: it is saved first and raised then, and the transaction commits all the same.
"""

import secrets
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from fairground.sandbox.stripe import cards, payment_methods, protocol, store
from fairground.sandbox.stripe.calls import Call, add_event, new_id
from fairground.sandbox.stripe.protocol import (
    CancelIntent,
    CaptureIntent,
    ConfirmIntent,
    CreateIntent,
    CreateRefund,
    Json,
    RetrieveIntent,
    StripeError,
)
from fairground.sandbox.stripe.store import Tx


class Status(StrEnum):
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


CONFIRMABLE: Final = (Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION)
CANCELLABLE: Final = (*CONFIRMABLE, Status.REQUIRES_CAPTURE)

EVENT_OF: Final = {
    Status.REQUIRES_PAYMENT_METHOD: "payment_intent.payment_failed",
    Status.REQUIRES_ACTION: "payment_intent.requires_action",
    Status.REQUIRES_CAPTURE: "payment_intent.amount_capturable_updated",
    Status.SUCCEEDED: "payment_intent.succeeded",
    Status.CANCELED: "payment_intent.canceled",
}


class Intent(BaseModel):
    """Amounts are minor units of `currency`; times are Unix seconds."""

    model_config = ConfigDict(frozen=True)

    id: str
    client_secret: str
    authentication_url: str
    created: int
    amount: int
    currency: str
    capture_method: Literal["automatic", "manual"]
    status: Status
    payment_method: str | None = None
    test_card: str | None = None
    """The name of the card behind a payment method that was made of a number."""
    return_url: str | None = None
    description: str | None = None
    metadata: dict[str, str] = {}
    latest_charge: str | None = None
    last_payment_error: dict[str, Any] | None = None
    amount_received: int = 0
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    @property
    def amount_capturable(self) -> int:
        return self.amount if self.status is Status.REQUIRES_CAPTURE else 0

    @property
    def card_name(self) -> str:
        return self.test_card or self.payment_method or ""

    def become(self, status: Status, **changes: Any) -> "Intent":
        return self.model_copy(update={"status": status} | changes)

    def wire(self) -> Json:
        """Return the object as docs.stripe.com/api/payment_intents/object names it."""
        state = self.model_dump(mode="json", exclude={"authentication_url", "return_url", "test_card"})
        return state | {
            "object": "payment_intent",
            "livemode": False,
            "amount_capturable": self.amount_capturable,
            "confirmation_method": "automatic",
            "next_action": self._next_action(),
            "payment_method_types": ["card"],
        }

    def _next_action(self) -> Json | None:
        if self.status is not Status.REQUIRES_ACTION:
            return None
        redirect = {"return_url": self.return_url, "url": self.authentication_url}
        return {"type": "redirect_to_url", "redirect_to_url": redirect}


def confirm(intent: Intent, *, charge: str) -> Intent:
    """Try the intent's card: authorise, charge, ask for authentication, or decline."""
    _require(intent, CONFIRMABLE, done="confirmed")
    if intent.payment_method is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise protocol.unexpected_state(message, intent=intent.wire())
    if not cards.find_card(intent.card_name).asks_authentication:
        return _ask_bank(intent, charge=charge)
    if intent.return_url is None:
        raise protocol.invalid("Missing required param: return_url.", code="parameter_missing", param="return_url")
    return intent.become(Status.REQUIRES_ACTION, last_payment_error=None)


def authenticate(intent: Intent, *, passed: bool, charge: str) -> Intent:
    """Continue after the 3-D Secure page. An intent that changed since then stays as it is."""
    if intent.status is not Status.REQUIRES_ACTION:
        return intent
    if passed:
        return _ask_bank(intent, charge=charge)
    failure = cards.Decline(
        code="payment_intent_authentication_failure", message="The provided PaymentMethod has failed authentication."
    )
    return _declined(intent, failure, charge=None)


def capture(intent: Intent, *, amount_to_capture: int | None) -> Intent:
    """Take the authorised money, or a part of it and release the rest."""
    _require(intent, (Status.REQUIRES_CAPTURE,), done="captured")
    amount = intent.amount if amount_to_capture is None else amount_to_capture
    if amount > intent.amount:
        message = "The requested capture amount is greater than the authorized amount."
        raise protocol.invalid(message, code="amount_too_large", param="amount_to_capture")
    refusal = cards.find_card(intent.card_name).capture_decline
    if refusal:
        failure = cards.wire_error(refusal, payment_method=intent.payment_method or "", charge=intent.latest_charge)
        raise StripeError(402, failure | {"payment_intent": intent.wire()})
    return intent.become(Status.SUCCEEDED, amount_received=amount)


def cancel(intent: Intent, *, now: int, reason: str | None) -> Intent:
    _require(intent, CANCELLABLE, done="canceled")
    return intent.become(Status.CANCELED, canceled_at=now, cancellation_reason=reason)


def _ask_bank(intent: Intent, *, charge: str) -> Intent:
    card = cards.find_card(intent.card_name)
    if card.decline:
        return _declined(intent, card.decline, charge=charge)
    if intent.capture_method == "manual":
        return intent.become(Status.REQUIRES_CAPTURE, latest_charge=charge, last_payment_error=None)
    received = {"amount_received": intent.amount, "latest_charge": charge, "last_payment_error": None}
    return intent.become(Status.SUCCEEDED, **received)


def _declined(intent: Intent, decline: cards.Decline, *, charge: str | None) -> Intent:
    failure = cards.wire_error(decline, payment_method=intent.payment_method or "", charge=charge)
    changes = {"payment_method": None, "test_card": None, "latest_charge": charge, "last_payment_error": failure}
    return intent.become(Status.REQUIRES_PAYMENT_METHOD, **changes)


def _require(intent: Intent, statuses: tuple[Status, ...], *, done: str) -> None:
    if intent.status not in statuses:
        raise protocol.unexpected_state(
            f"This PaymentIntent could not be {done} because it has a status of {intent.status}. "
            f"Only a PaymentIntent with one of the following statuses may be {done}: {', '.join(statuses)}.",
            intent=intent.wire(),
        )


def create_intent(call: Call, params: CreateIntent) -> Json:
    cards.require_amount(params.amount, params.currency)
    method = params.payment_method
    intent_id = new_id("pi_")
    intent = Intent(
        id=intent_id,
        client_secret=f"{intent_id}_secret_{secrets.token_urlsafe(18)}",
        authentication_url=f"{call.page_url}/{intent_id}/{secrets.token_urlsafe(18)}",
        created=call.now,
        status=Status.REQUIRES_CONFIRMATION if method else Status.REQUIRES_PAYMENT_METHOD,
        test_card=payment_methods.find_test_card(call.tx, method, intent_id=intent_id) if method else None,
        **params.model_dump(exclude={"confirm", "payment_method_types"}),
    )
    _write(call, intent)
    add_event(call, "payment_intent.created", intent.wire())
    return _confirm(call, intent) if params.confirm else intent.wire()


def confirm_intent(call: Call, intent_id: str, params: ConfirmIntent) -> Json:
    changes = params.model_dump(exclude_none=True)
    if params.payment_method is not None:
        found = payment_methods.find_test_card(call.tx, params.payment_method, intent_id=intent_id)
        changes["test_card"] = found
    return _confirm(call, get_intent(call.tx, intent_id).model_copy(update=changes))


def capture_intent(call: Call, intent_id: str, params: CaptureIntent) -> Json:
    intent = get_intent(call.tx, intent_id)
    return _save(call, capture(intent, amount_to_capture=params.amount_to_capture))


def cancel_intent(call: Call, intent_id: str, params: CancelIntent) -> Json:
    intent = get_intent(call.tx, intent_id)
    return _save(call, cancel(intent, now=call.now, reason=params.cancellation_reason))


def authenticate_intent(call: Call, intent_id: str, *, passed: bool) -> Intent:
    """Continue after the 3-D Secure page and return the intent as it is now."""
    before = get_intent(call.tx, intent_id)
    after = authenticate(before, passed=passed, charge=new_id("ch_"))
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
    add_event(call, "refund.created", refund)
    return refund


def find_intent(tx: Tx, intent_id: str) -> Intent | None:
    found = store.find_object(tx, "intent", intent_id)
    return None if found is None else Intent.model_validate(found)


def get_intent(tx: Tx, intent_id: str, *, param: str = "intent") -> Intent:
    intent = find_intent(tx, intent_id)
    if intent is None:
        raise protocol.no_such("payment_intent", intent_id, param=param)
    return intent


def retrieve_intent(tx: Tx, intent_id: str, params: RetrieveIntent) -> Json:
    shown = get_intent(tx, intent_id).wire()
    for field in params.expand:
        if shown[field] is not None:
            shown[field] = payment_methods.show(tx, shown[field])
    return shown


def _confirm(call: Call, intent: Intent) -> Json:
    confirmed = confirm(intent, charge=new_id("ch_"))
    if confirmed.payment_method is not None:
        store.use_payment_method(call.tx, confirmed.payment_method, intent_id=intent.id)
    shown = _save(call, confirmed)
    if confirmed.last_payment_error:
        raise StripeError(402, confirmed.last_payment_error | {"payment_intent": shown})
    if cards.find_card(confirmed.card_name).breaks_after_commit:
        raise protocol.server_error()
    return shown


def _save(call: Call, intent: Intent) -> Json:
    _write(call, intent)
    shown = intent.wire()
    add_event(call, EVENT_OF[intent.status], shown)
    return shown


def _write(call: Call, intent: Intent) -> None:
    store.save_intent(call.tx, intent.id, created=intent.created, body=intent.model_dump_json())
