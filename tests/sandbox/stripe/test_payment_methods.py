"""Payment methods that are made of card numbers, called through Stripe's own client."""

from typing import Any, Final

import pytest
import stripe

from tests.sandbox.stripe.clients import AppHTTPClient, OpenRig, Rig

NUMBER: Final[Any] = {"number": "4242424242424242", "exp_month": 8, "exp_year": 2031, "cvc": "123"}
VISA: Final[Any] = {"type": "card", "card": NUMBER}
INTENT: Final[Any] = {
    "amount": 12_000, "currency": "eur", "capture_method": "manual", "confirm": True, "payment_method_types": ["card"],
    "return_url": "http://shop.test/back",
}  # fmt: skip


def card(number: str, **changes: Any) -> Any:
    return VISA | {"card": NUMBER | {"number": number} | changes}


async def browser_of(rig: Rig) -> stripe.StripeClient:
    """Return the client of a browser, which has the publishable key alone."""
    key = await rig.sandbox.publishable_key()
    return stripe.StripeClient(key, http_client=AppHTTPClient(rig.sandbox.api), max_network_retries=0)


async def test_browser_makes_a_payment_method_and_the_shop_charges_it(rig: Rig) -> None:
    made = await (await browser_of(rig)).v1.payment_methods.create_async(VISA)
    assert made.id.startswith("pm_")
    assert made.card is not None
    assert (made.card.brand, made.card.last4, made.card.exp_month, made.card.exp_year) == ("visa", "4242", 8, 2031)
    intent = await rig.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    assert (intent.status, intent.payment_method) == ("requires_capture", made.id)
    shown = await rig.stripe.v1.payment_intents.retrieve_async(intent.id, {"expand": ["payment_method"]})
    assert isinstance(shown.payment_method, stripe.PaymentMethod)
    assert shown.payment_method.card is not None
    assert shown.payment_method.card.last4 == "4242"


async def test_number_of_a_card_with_3d_secure_leads_to_the_bank(rig: Rig) -> None:
    made = await rig.stripe.v1.payment_methods.create_async(card("4000002760003184"))
    intent = await rig.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    assert intent.status == "requires_action"


async def test_declined_number_is_made_and_refused_by_the_bank(rig: Rig) -> None:
    made = await rig.stripe.v1.payment_methods.create_async(card("4000000000000002"))
    with pytest.raises(stripe.CardError) as refused:
        await rig.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    assert refused.value.code == "card_declined"


@pytest.mark.parametrize(
    ("params", "code"),
    [(card("4242424242424241"), "incorrect_number"), (card("4242424242424242", exp_year=2020), "invalid_expiry_year")],
)
async def test_wrong_card_is_refused_in_stripes_words(rig: Rig, params: Any, code: str) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await rig.stripe.v1.payment_methods.create_async(params)
    assert refused.value.code == code


async def test_payment_method_pays_once(rig: Rig) -> None:
    made = await rig.stripe.v1.payment_methods.create_async(VISA)
    first = await rig.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await rig.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    listed = await rig.stripe.v1.payment_intents.list_async()
    assert [intent.id for intent in listed.data] == [first.id]


async def test_publishable_key_reads_and_charges_nothing(rig: Rig) -> None:
    browser = await browser_of(rig)
    with pytest.raises(stripe.AuthenticationError):
        await browser.v1.payment_intents.list_async()
    with pytest.raises(stripe.AuthenticationError):
        await browser.v1.payment_intents.create_async(INTENT | {"payment_method": "pm_card_visa"})


async def test_payment_method_survives_the_process(open_rig: OpenRig) -> None:
    first, second = await open_rig(), await open_rig()
    made = await first.stripe.v1.payment_methods.create_async(VISA)
    intent = await second.stripe.v1.payment_intents.create_async(INTENT | {"payment_method": made.id})
    assert intent.status == "requires_capture"
