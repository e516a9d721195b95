"""PaymentIntents: the life cycle of docs.stripe.com/payments/paymentintents/lifecycle, without I/O."""

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from fairground.sandbox.stripe import cards, protocol
from fairground.sandbox.stripe.protocol import Json, StripeError


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

    def become(self, status: Status, **changes: Any) -> "Intent":
        return self.model_copy(update={"status": status} | changes)

    def wire(self) -> Json:
        """Return the object as docs.stripe.com/api/payment_intents/object names it."""
        state = self.model_dump(mode="json", exclude={"authentication_url", "return_url"})
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
    if not cards.find_card(intent.payment_method).asks_authentication:
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
    refusal = cards.find_card(intent.payment_method or "").capture_decline
    if refusal:
        failure = cards.wire_error(refusal, payment_method=intent.payment_method or "", charge=intent.latest_charge)
        raise StripeError(402, failure | {"payment_intent": intent.wire()})
    return intent.become(Status.SUCCEEDED, amount_received=amount)


def cancel(intent: Intent, *, now: int, reason: str | None) -> Intent:
    _require(intent, CANCELLABLE, done="canceled")
    return intent.become(Status.CANCELED, canceled_at=now, cancellation_reason=reason)


def _ask_bank(intent: Intent, *, charge: str) -> Intent:
    card = cards.find_card(intent.payment_method or "")
    if card.decline:
        return _declined(intent, card.decline, charge=charge)
    if intent.capture_method == "manual":
        return intent.become(Status.REQUIRES_CAPTURE, latest_charge=charge, last_payment_error=None)
    received = {"amount_received": intent.amount, "latest_charge": charge, "last_payment_error": None}
    return intent.become(Status.SUCCEEDED, **received)


def _declined(intent: Intent, decline: cards.Decline, *, charge: str | None) -> Intent:
    failure = cards.wire_error(decline, payment_method=intent.payment_method or "", charge=charge)
    changes = {"payment_method": None, "latest_charge": charge, "last_payment_error": failure}
    return intent.become(Status.REQUIRES_PAYMENT_METHOD, **changes)


def _require(intent: Intent, statuses: tuple[Status, ...], *, done: str) -> None:
    if intent.status not in statuses:
        raise protocol.unexpected_state(
            f"This PaymentIntent could not be {done} because it has a status of {intent.status}. "
            f"Only a PaymentIntent with one of the following statuses may be {done}: {', '.join(statuses)}.",
            intent=intent.wire(),
        )
