"""PaymentMethods: the cards that a browser, or a program, has made of their numbers.

Source: docs.stripe.com/api/payment_methods. A payment method without a customer pays once: another intent refuses it.
"""

from typing import Final

from fairground.sandbox.stripe import cards, protocol, store
from fairground.sandbox.stripe.calls import Call, new_id
from fairground.sandbox.stripe.protocol import CreatePaymentMethod, Json, StripeError
from fairground.sandbox.stripe.store import Tx

_USED: Final = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a"
    " connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use"
    " a PaymentMethod multiple times, you must attach it to a Customer first."
)


def create_payment_method(call: Call, params: CreatePaymentMethod) -> Json:
    """Make a payment method of the number of a test card.

    Raises:
        StripeError: 402 for a number that is no test card's, and for a card that has expired.
    """
    name = cards.name_of_number(params.card.number)
    if params.card.has_expired(now=call.now):
        wrong = {"type": "card_error", "code": "invalid_expiry_year", "param": "exp_year"}
        raise StripeError(402, wrong | {"message": "Your card's expiration year is invalid."})
    made = _wire(new_id("pm_"), name, created=call.now)
    made["card"] |= {"exp_month": params.card.exp_month, "exp_year": params.card.exp_year}
    made |= {"billing_details": params.billing_details, "metadata": params.metadata}
    store.insert_payment_method(call.tx, made, test_card=name)
    return made


def find_test_card(tx: Tx, payment_method: str, *, intent_id: str) -> str:
    """Return the name of the test card behind a payment method of an intent; a test card is one of its own name.

    Raises:
        StripeError: 400, there is no such payment method, or it has been used for another intent.
    """
    name, used_by = store.find_test_card(tx, payment_method) or (payment_method, None)
    cards.find_card(name)
    if used_by not in {None, intent_id}:
        raise protocol.invalid(_USED, param="payment_method")
    return name


def show(tx: Tx, payment_method: str) -> Json:
    """Return the object in place of its id, where a request expands it."""
    stored = store.find_object(tx, "payment_method", payment_method)
    return stored or _wire(payment_method, payment_method, created=0)


def _wire(payment_method: str, card_name: str, *, created: int) -> Json:
    return {
        "id": payment_method, "object": "payment_method", "type": "card", "created": created, "livemode": False,
        "customer": None, "billing_details": {}, "metadata": {}, "card": cards.find_card(card_name).wire(),
    }  # fmt: skip
