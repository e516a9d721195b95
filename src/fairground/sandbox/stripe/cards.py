"""What can be charged: the cards of the sandbox, and the currencies and amounts that Stripe takes.

The cards are Stripe's own test payment methods (docs.stripe.com/testing) and three of ours for faults that Stripe has
none for: every id that starts with `pm_sandbox_` is Fairground's and unknown to Stripe.

The currencies come from Stripe's pages and not from the table of the marketplace: a fake that read that table could not
show where the table is wrong. Sources: docs.stripe.com/currencies (zero-decimal, three-decimal, special cases; read in
2026-11), and for the codes Stripe's own answer to a currency that it does not know.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fairground.sandbox.stripe import protocol
from fairground.sandbox.stripe.protocol import Json, StripeError


@dataclass(frozen=True, kw_only=True)
class Decline:
    """The reason of a bank, in the words of docs.stripe.com/declines/codes."""

    code: str = "card_declined"
    decline_code: str | None = None
    message: str = "Your card was declined."


@dataclass(frozen=True, kw_only=True)
class Card:
    number: str
    brand: str = "visa"
    decline: Decline | None = None
    capture_decline: Decline | None = None
    asks_authentication: bool = False
    breaks_after_commit: bool = False
    delay_seconds: float = 0

    @property
    def last4(self) -> str:
        return self.number[-4:]

    def wire(self) -> Json:
        """Return the card as docs.stripe.com/api/payment_methods/object names it."""
        return {"brand": self.brand, "last4": self.last4, "exp_month": 12, "exp_year": 2034, "country": "US"}


_GENERIC: Final = Decline(decline_code="generic_decline")
_NO_FUNDS: Final = Decline(decline_code="insufficient_funds", message="Your card has insufficient funds.")

CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card(number="4242424242424242"),
    "pm_card_mastercard": Card(number="5555555555554444", brand="mastercard"),
    "pm_card_amex": Card(number="371449635398431", brand="amex"),
    "pm_card_chargeDeclined": Card(number="4000000000000002", decline=_GENERIC),
    "pm_card_visa_chargeDeclined": Card(number="4000000000000002", decline=_GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(number="4000000000009995", decline=_NO_FUNDS),
    "pm_card_chargeDeclinedProcessingError": Card(
        number="4000000000000119",
        decline=Decline(code="processing_error", message="An error occurred while processing your card."),
    ),
    "pm_card_chargeDeclinedExpiredCard": Card(
        number="4000000000000069", decline=Decline(code="expired_card", message="Your card has expired.")
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Card(
        number="4000000000000127",
        decline=Decline(code="incorrect_cvc", message="Your card's security code is incorrect."),
    ),
    "pm_card_authenticationRequired": Card(number="4000002760003184", asks_authentication=True),
    "pm_card_threeDSecure2Required": Card(number="4000000000003220", asks_authentication=True),
    "pm_card_threeDSecureRequiredChargeDeclined": Card(
        number="4000008400001629", asks_authentication=True, decline=_GENERIC
    ),
    # Authorises, and refuses every capture: the authorisation stays until it is cancelled.
    "pm_sandbox_captureDeclined": Card(number="4000000000000341", capture_decline=_NO_FUNDS),
    # Answers after two seconds; until then a twin with the same idempotency key gets 409.
    "pm_sandbox_slow": Card(number="4000000000003006", delay_seconds=2),
    # Authorises, then answers 500, and by Stripe's rule answers 500 to every replay of the same key.
    "pm_sandbox_serverError": Card(number="4000000000005001", breaks_after_commit=True),
}

SUPPORTED_CURRENCIES: Final = tuple(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf"
    " clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr"
    " ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr"
    " mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd"
    " shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar"
    " zmw".split()
)
# The page lists ugx here as well; its special case is what counts for a charge.
ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
WHOLE_IN_HUNDREDTHS: Final = frozenset({"isk", "ugx"})


def find_card(name: str) -> Card:
    """Return a test card by its name, or raise Stripe's "No such PaymentMethod"."""
    card = CARDS.get(name)
    if card is None:
        raise protocol.no_such("PaymentMethod", name, param="payment_method", status=400)
    return card


def name_of_number(number: str) -> str:
    """Return the name of the test card with a number, the first of several.

    Raises:
        StripeError: 402, as for a number that is no card's.
    """
    digits = number.replace(" ", "")
    name = next((name for name, card in CARDS.items() if card.number == digits), None)
    if name is None:
        wrong = {"type": "card_error", "code": "incorrect_number", "message": "Your card number is incorrect."}
        raise StripeError(402, wrong | {"param": "number"})
    return name


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


def require_amount(amount: int, currency: str) -> None:
    """Refuse an amount that Stripe cannot charge or give back.

    Raises:
        StripeError: 400, in Stripe's words.
    """
    if currency not in SUPPORTED_CURRENCIES:
        supported = ", ".join(SUPPORTED_CURRENCIES)
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: {supported}"
        raise protocol.invalid(message, param="currency")
    if currency in WHOLE_IN_HUNDREDTHS and amount % 100:
        raise protocol.invalid(f"Invalid amount: {currency} has no decimals, so the last two are 00.", param="amount")
    if currency in THREE_DECIMAL and amount % 10:
        raise protocol.invalid(f"Invalid amount: in {currency} the last digit must be 0.", param="amount")


def format_amount(amount: int, currency: str) -> str:
    """Return an amount in Stripe's units as people write it: 500 isk is "5", 1099 usd is "10.99"."""
    if currency in WHOLE_IN_HUNDREDTHS:
        return str(amount // 100)
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{Decimal(amount).scaleb(-places):f}"
