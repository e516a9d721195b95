"""What Stripe sends: its objects, as far as we read them, and the signature of its webhooks.

An object of another shape is refused whole. Sources: docs.stripe.com/api/payment_intents/object, /refunds/object,
/events/object and /errors; docs.stripe.com/webhooks/signature.
"""

import hashlib
import hmac
import json
import re
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fairground.contracts.payments import PaidCard, PaymentStatus
from fairground.kernel.money import amount_from_processor
from fairground.modules.payments.domain import IntentSnapshot, ProcessorRefund
from fairground.modules.payments.gateways.processor import ProcessorEvent, SignatureInvalid

GONE_THROUGH: Final = frozenset({"succeeded", "pending"})
_STATUS_OF: Final = {
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}
# Stripe's own library lets times in the future pass; a signature that is valid for ever is worth more to a thief.
TOLERANCE_SECONDS: Final = 300
# An id becomes part of a URL and of a row.
_ID: Final = r"[A-Za-z0-9_-]{1,255}"
_Id = Annotated[str, StringConstraints(pattern=f"^{_ID}$")]
_Word = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]
_Amount = Annotated[int, Field(ge=0, le=10**15)]
_Currency = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z]{3}$")]

Read = TypeVar("Read", bound="StripeObject")


class Unreadable(Exception):
    """A body is not the JSON object that Stripe describes. The message says where, and quotes nothing of it."""


class StripeObject(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Failure(StripeObject):
    """Why a card was refused, or a whole request: the `error` of an answer, or an intent's `last_payment_error`."""

    type: _Word | None = None
    code: _Word | None = None
    decline_code: _Word | None = None

    @property
    def reason(self) -> str | None:
        """Return the most exact code: that of the bank, unless it says nothing, else Stripe's own."""
        is_exact = self.decline_code and self.decline_code != "generic_decline"
        return self.decline_code if is_exact else self.code


class Redirect(StripeObject):
    url: str | None = None


class NextAction(StripeObject):
    redirect_to_url: Redirect | None = None


class CardDetails(StripeObject):
    brand: _Word | None = None
    last4: _Word | None = None


class PaymentMethod(StripeObject):
    card: CardDetails | None = None


class PaymentIntent(StripeObject):
    id: _Id
    status: _Word
    amount_received: _Amount
    currency: _Currency
    metadata: dict[str, Any] | None = None
    next_action: NextAction | None = None
    last_payment_error: Failure | None = None
    payment_method: PaymentMethod | str | None = None
    """An object where the request expands it."""

    def is_of(self, payment_id: UUID) -> bool:
        return _our_id(self.metadata, "payment_id") == payment_id

    def snapshot(self) -> IntentSnapshot:
        """Raise AmountInvalid when the amount is a fraction of a minor unit."""
        status = _STATUS_OF.get(self.status, PaymentStatus.STARTED)
        failure = self.last_payment_error
        if self.status == "requires_payment_method" and failure:
            status = PaymentStatus.FAILED
        redirect = self.next_action and self.next_action.redirect_to_url
        return IntentSnapshot(
            intent_id=self.id,
            payment_id=_our_id(self.metadata, "payment_id"),
            status=status,
            captured_minor=amount_from_processor(self.amount_received, self.currency.upper()),
            action_url=redirect.url if redirect else None,
            failure_code=failure.reason if failure else None,
            card=self._card(),
        )

    def _card(self) -> PaidCard | None:
        details = self.payment_method.card if isinstance(self.payment_method, PaymentMethod) else None
        if details is None or details.brand is None or details.last4 is None:
            return None
        return PaidCard(brand=details.brand, last4=details.last4)


class StripeRefund(StripeObject):
    id: _Id
    status: _Word | None = None
    amount: _Amount
    currency: _Currency
    metadata: dict[str, Any] | None = None
    failure_reason: _Word | None = None

    @property
    def has_gone_through(self) -> bool:
        return self.status in GONE_THROUGH

    def refund(self) -> ProcessorRefund:
        """Raise AmountInvalid when the amount is a fraction of a minor unit."""
        return ProcessorRefund(
            processor_refund_id=self.id,
            refund_id=_our_id(self.metadata, "refund_id"),
            amount_minor=amount_from_processor(self.amount, self.currency.upper()),
        )


class EventData(StripeObject):
    object: dict[str, Any]


class StripeEvent(StripeObject):
    id: _Id
    type: _Word
    data: EventData

    def event(self) -> ProcessorEvent:
        # An account sends events about many kinds of objects; those without an intent are not about payments.
        about = self.data.object
        intent_id = about.get("id") if about.get("object") == "payment_intent" else about.get("payment_intent")
        is_id = isinstance(intent_id, str) and re.fullmatch(_ID, intent_id)
        return ProcessorEvent(event_id=self.id, kind=self.type, intent_id=intent_id if is_id else None)


class Refusal(StripeObject):
    """The body of an answer that is no success."""

    class Error(Failure):
        payment_intent: PaymentIntent | None = None

    error: Error


class IntentPage(StripeObject):
    data: list[PaymentIntent]
    has_more: bool


class RefundPage(StripeObject):
    data: list[StripeRefund]
    has_more: bool


class EventPage(StripeObject):
    data: list[StripeEvent]
    has_more: bool


def read(model: type[Read], body: bytes) -> Read:
    """Return the object that a body holds.

    Raises:
        Unreadable: The body is no JSON, or JSON of another shape.
    """
    try:
        return model.model_validate(json.loads(body))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"]) or "the whole"
        raise Unreadable(f"It is no {model.__name__} of Stripe: {where[:100]} is missing or of another type.") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"It is no JSON that can be read: {type(error).__name__}.") from None


def require_signature(header: str, body: bytes, *, secret: str, now: float) -> None:
    """Check that the header signs these bytes, and within five minutes of `now` (Unix seconds).

    Raises:
        SignatureInvalid: It does not.
    """
    fields = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    signatures = [value for name, _, value in fields if name == "v1"]
    if len(times) != 1 or not times[0].isdecimal() or not times[0].isascii() or not signatures:
        raise SignatureInvalid("The Stripe-Signature header is missing or does not have the form t=…,v1=….")
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    # While a secret is being changed there is one signature for each.
    if not any(hmac.compare_digest(expected.encode(), shown.encode()) for shown in signatures):
        raise SignatureInvalid("The signature does not match this body and our secret.")
    if abs(now - int(times[0])) > TOLERANCE_SECONDS:
        raise SignatureInvalid(
            f"The webhook was signed at {times[0]}, more than {TOLERANCE_SECONDS} seconds away from our clock."
        )


def _our_id(metadata: dict[str, Any] | None, name: str) -> UUID | None:
    """Read an id that we gave; other programs may have written anything there."""
    try:
        return UUID((metadata or {})[name])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
