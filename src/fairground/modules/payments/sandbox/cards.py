"""The cards of the sandbox: Stripe's own test payment methods, and three of ours for faults that Stripe has none for.

Source: docs.stripe.com/testing. Every id that starts with `pm_sandbox_` is Fairground's and unknown to Stripe.
"""

from dataclasses import dataclass
from typing import Final

from fairground.modules.payments.sandbox import errors
from fairground.modules.payments.sandbox.errors import Json


@dataclass(frozen=True, kw_only=True)
class Decline:
    """Why a bank says no, in the words of docs.stripe.com/declines/codes."""

    code: str = "card_declined"
    decline_code: str | None = None
    message: str = "Your card was declined."


@dataclass(frozen=True, kw_only=True)
class Card:
    last4: str
    brand: str = "visa"
    decline: Decline | None = None
    capture_decline: Decline | None = None
    asks_authentication: bool = False
    breaks_after_commit: bool = False
    delay_seconds: float = 0


_GENERIC: Final = Decline(decline_code="generic_decline")
_NO_FUNDS: Final = Decline(decline_code="insufficient_funds", message="Your card has insufficient funds.")

CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card(last4="4242"),
    "pm_card_mastercard": Card(last4="4444", brand="mastercard"),
    "pm_card_amex": Card(last4="8431", brand="amex"),
    "pm_card_chargeDeclined": Card(last4="0002", decline=_GENERIC),
    "pm_card_visa_chargeDeclined": Card(last4="0002", decline=_GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(last4="9995", decline=_NO_FUNDS),
    "pm_card_chargeDeclinedProcessingError": Card(
        last4="0119", decline=Decline(code="processing_error", message="An error occurred while processing your card.")
    ),
    "pm_card_chargeDeclinedExpiredCard": Card(
        last4="0069", decline=Decline(code="expired_card", message="Your card has expired.")
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Card(
        last4="0127", decline=Decline(code="incorrect_cvc", message="Your card's security code is incorrect.")
    ),
    "pm_card_authenticationRequired": Card(last4="3184", asks_authentication=True),
    "pm_card_threeDSecure2Required": Card(last4="3220", asks_authentication=True),
    "pm_card_threeDSecureRequiredChargeDeclined": Card(last4="1629", asks_authentication=True, decline=_GENERIC),
    # Authorises, and refuses every capture: the authorisation stands until it is cancelled.
    "pm_sandbox_captureDeclined": Card(last4="0341", capture_decline=_NO_FUNDS),
    # Answers after two seconds; until then a twin with the same idempotency key is told 409.
    "pm_sandbox_slow": Card(last4="3000", delay_seconds=2),
    # Authorises, then answers 500, and by Stripe's rule answers 500 to every replay of the same key.
    "pm_sandbox_serverError": Card(last4="5000", breaks_after_commit=True),
}


def find(payment_method: str) -> Card:
    """Return the card of a payment method, or raise Stripe's "No such PaymentMethod"."""
    card = CARDS.get(payment_method)
    if card is None:
        raise errors.no_such("PaymentMethod", payment_method, param="payment_method", status=400)
    return card


def delay_seconds(payment_method: str | None) -> float:
    card = CARDS.get(payment_method or "")
    return card.delay_seconds if card else 0


def wire_error(decline: Decline, *, payment_method: str, charge: str | None) -> Json:
    """Return the `card_error` object that Stripe answers with and keeps as `last_payment_error`."""
    fields: Json = {"type": "card_error", "code": decline.code, "message": decline.message}
    if decline.decline_code:
        fields["decline_code"] = decline.decline_code
    if charge:
        fields["charge"] = charge
    return fields | {"payment_method": {"id": payment_method, "object": "payment_method", "type": "card"}}
