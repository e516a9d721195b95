"""The 3-D Secure page: the form, and the redirect back to the shop."""

from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from tests.sandbox.stripe.clients import SHOP, OpenRig, Rig


async def challenged(rig: Rig, card: str = "pm_card_authenticationRequired") -> stripe.PaymentIntent:
    intent = await rig.stripe.v1.payment_intents.create_async(
        {
            "amount": 1_250,
            "currency": "eur",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": card,
            "return_url": f"{SHOP}/bookings/7/return?from=bank",
        }
    )
    assert intent.status == "requires_action"
    return intent


def page_of(intent: stripe.PaymentIntent) -> str:
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    return str(intent.next_action.redirect_to_url.url)


async def test_page_is_a_plain_form_that_names_the_amount(rig: Rig) -> None:
    page = await rig.browser.get(page_of(await challenged(rig)))
    assert page.status_code == 200
    assert "12.50 EUR" in page.text
    assert "<script" not in page.text
    assert "form-action 'self' http://shop.test" in page.headers["content-security-policy"]


async def test_completing_reserves_the_money_and_returns_to_the_shop(rig: Rig) -> None:
    intent = await challenged(rig)
    answer = await rig.browser.post(page_of(intent), data={"outcome": "complete"})
    back = urlsplit(answer.headers["location"])
    assert (answer.status_code, back.path) == (303, "/bookings/7/return")
    assert parse_qs(back.query) == {
        "from": ["bank"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [intent.client_secret],
        "redirect_status": ["succeeded"],
    }
    assert (await rig.stripe.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"
    events = [event.type for event in (await rig.stripe.v1.events.list_async()).data]
    assert events[0] == "payment_intent.amount_capturable_updated"


@pytest.mark.parametrize(
    ("card", "outcome", "code"),
    [
        ("pm_card_authenticationRequired", "fail", "payment_intent_authentication_failure"),
        ("pm_card_threeDSecureRequiredChargeDeclined", "complete", "card_declined"),
    ],
)
async def test_failing_asks_for_another_card(rig: Rig, card: str, outcome: str, code: str) -> None:
    intent = await challenged(rig, card)
    answer = await rig.browser.post(page_of(intent), data={"outcome": outcome})
    assert "redirect_status=failed" in answer.headers["location"]
    now = await rig.stripe.v1.payment_intents.retrieve_async(intent.id)
    assert now.status == "requires_payment_method"
    assert now.last_payment_error is not None
    assert now.last_payment_error.code == code


async def test_second_answer_changes_nothing(open_rig: OpenRig) -> None:
    rig, other_process = await open_rig(), await open_rig()
    intent = await challenged(rig)
    await rig.browser.post(page_of(intent), data={"outcome": "complete"})
    answer = await other_process.browser.post(page_of(intent), data={"outcome": "fail"})
    assert "redirect_status=succeeded" in answer.headers["location"]
    assert (await rig.browser.get(page_of(intent))).status_code == 303
    assert (await rig.stripe.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_abandoned_authentication_can_be_cancelled(rig: Rig) -> None:
    intent = await challenged(rig)
    await rig.stripe.v1.payment_intents.cancel_async(intent.id)
    assert "redirect_status=failed" in (await rig.browser.get(page_of(intent))).headers["location"]


async def test_page_of_another_token_is_404(rig: Rig) -> None:
    url = page_of(await challenged(rig))
    assert (await rig.browser.get(url[:-1] + "~")).status_code == 404
    assert (await rig.browser.post(url.replace("pi_", "pi_x"), data={"outcome": "complete"})).status_code == 404
