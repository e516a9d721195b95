"""Paying with real cards in a browser: the processor's own fields on our page, on a phone and on a desktop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Locator, Page, Route, expect

from fairground.contracts.accounts import Accounts, Role
from tests.support.addresses import HOME_FIELDS
from tests.support.axe import find_violations
from tests.support.marketplace import PASSWORD, public_provider
from tests.support.stripe_server import NUMBERS, StripeServer, open_card_visit, open_stripe
from tests.support.visits import Visit, open_browser

pytestmark = pytest.mark.proof
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])

WIDTHS = (390, 1280)


@pytest.fixture
async def opened(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Visit, StripeServer]]:
    async with open_card_visit(migrated_url, folder=tmp_path / "var", monkeypatch=monkeypatch) as opened:
        await public_provider(opened[0].market, mode="request")
        accounts = opened[0].market.program.links.of(Accounts)
        await accounts.create_user(email="nora@example.org", password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER)
        yield opened


async def hold_a_time(visit: Visit, *, width: int, has_script: bool = True) -> Page:
    """Return the page of payment for a time that its reader holds."""
    page = await visit.signed_in("nora@example.org", has_script=has_script, width=width)
    await page.goto("/p/maya-the-tides")
    await page.locator("a.slot").first.click()
    for name, value in HOME_FIELDS.items():
        field = page.locator(f"[name={name}]")
        if await field.evaluate("field => field.matches('input[type=text], input:not([type])')"):
            await field.fill(value)
    await page.get_by_role("button", name="Continue to payment").click()
    await page.wait_for_url("**/book/h/*")
    return page


def fields(page: Page) -> Any:
    return page.frame_locator("#card-fields iframe")


def pay_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Request for")


async def type_card(page: Page, number: str, *, expiry: str = "12 / 34", cvc: str = "123") -> None:
    await fields(page).get_by_label("Card number").fill(number)
    await fields(page).get_by_label("Expiration date").fill(expiry)
    await fields(page).get_by_label("Security code").fill(cvc)


async def pay_with(page: Page, card: str) -> None:
    await expect(pay_button(page)).to_be_enabled()
    await type_card(page, NUMBERS[card])
    await pay_button(page).click()


async def charged(stripe: StripeServer) -> list[tuple[str, str, int]]:
    """Return what is reserved or taken, as the end of the card's number, the status and the amount."""
    return [
        (intent["payment_method"]["card"]["last4"], intent["status"], intent["amount"])
        for intent in await stripe.intents()
        if intent["status"] in {"requires_capture", "succeeded"}
    ]


@on_sqlite
@pytest.mark.parametrize("width", WIDTHS)
async def test_card_is_paid_with_and_the_amount_shown_is_the_one_reserved(
    opened: tuple[Visit, StripeServer], width: int
) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=width)
    await expect(pay_button(page)).to_be_enabled()
    assert await page.locator(".price-table tfoot td").inner_text() == "€97.50"
    assert await find_violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await pay_with(page, "visa")
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert await charged(stripe) == [("4242", "requires_capture", 9750)]
    assert visit.complaints == []


@on_sqlite
@pytest.mark.parametrize("width", WIDTHS)
async def test_declined_card_is_explained_and_another_one_pays(opened: tuple[Visit, StripeServer], width: int) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=width)
    await pay_with(page, "declined")
    summary = page.locator(".error-summary")
    await expect(summary).to_contain_text("The card was declined. Nothing was charged.")
    await expect(summary).to_be_focused()
    await pay_with(page, "mastercard")
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert await charged(stripe) == [("4444", "requires_capture", 9750)]


@on_sqlite
async def test_bank_is_asked_and_the_return_leads_to_the_booking(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=390)
    await pay_with(page, "asks")
    await page.get_by_role("button", name="Complete authentication").click()
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert await charged(stripe) == [("3184", "requires_capture", 9750)]
    assert visit.complaints == []


@on_sqlite
async def test_refused_authentication_is_explained_at_the_form(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=390)
    await pay_with(page, "asks")
    await page.get_by_role("button", name="Fail authentication").click()
    await expect(page.locator(".error-summary")).to_contain_text("The payment was not confirmed with the bank")
    assert await charged(stripe) == []


@on_sqlite
@pytest.mark.parametrize("width", WIDTHS)
async def test_card_chosen_after_going_back_from_the_bank_is_the_only_one_charged(
    opened: tuple[Visit, StripeServer], width: int
) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=width)
    await pay_with(page, "asks")
    bank = page.get_by_role("button", name="Complete authentication")
    await bank.wait_for()
    bank_url = page.url
    await page.go_back()
    await pay_with(page, "visa")
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert await charged(stripe) == [("4242", "requires_capture", 9750)]
    # The question of the first bank is over: answering it reserves nothing, and leads to the booking as it is.
    await page.goto(bank_url)
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert await charged(stripe) == [("4242", "requires_capture", 9750)]


@on_sqlite
async def test_lost_return_from_the_bank_is_settled_by_the_webhook(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=390)
    held = page.url
    await pay_with(page, "asks")
    await page.get_by_role("button", name="Complete authentication").wait_for()
    await page.route(f"{visit.address}/book/*/return*", lambda route: route.abort())
    await page.get_by_role("button", name="Complete authentication").click()
    await expect_eventually(page, held, "Your request is on its way")
    assert await charged(stripe) == [("3184", "requires_capture", 9750)]


async def expect_eventually(page: Page, url: str, heading: str) -> None:
    """Open a page until it has the heading: what follows from a webhook takes a moment."""
    for _ in range(100):
        await page.goto(url)
        if await page.locator("h1").inner_text() == heading:
            return
        await page.wait_for_timeout(50)
    raise AssertionError(f"{url} never says {heading!r}.")


@on_sqlite
async def test_wrong_fields_are_said_at_the_form_and_nothing_is_sent(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=390)
    await expect(pay_button(page)).to_be_enabled()
    await type_card(page, "4242")
    await pay_button(page).click()
    notice = page.locator("#card-error")
    await expect(notice).to_have_text("Your card number is incomplete.")
    await expect(fields(page).get_by_label("Card number")).to_be_focused()
    assert await find_violations(page) == []
    await type_card(page, "4242424242424241")
    await pay_button(page).click()
    await expect(notice).to_have_text("Your card number is incorrect.")
    await expect(notice).to_be_focused()
    await expect(pay_button(page)).to_be_enabled()
    assert await stripe.intents() == []
    await pay_with(page, "visa")
    await expect(page.locator("h1")).to_have_text("Your request is on its way")


@on_sqlite
async def test_pressing_twice_makes_one_payment_method_and_one_payment(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=1280)
    await expect(pay_button(page)).to_be_enabled()
    await type_card(page, NUMBERS["visa"])
    await pay_button(page).dblclick()
    await expect(page.locator("h1")).to_have_text("Your request is on its way")
    assert stripe.requests.count("POST /v1/payment_methods") == 1
    assert len(await stripe.intents()) == 1


@on_sqlite
async def test_button_is_disabled_while_the_card_is_checked(opened: tuple[Visit, StripeServer]) -> None:
    visit, _ = opened
    page = await hold_a_time(visit, width=390)
    await expect(pay_button(page)).to_be_enabled()
    await type_card(page, NUMBERS["visa"])
    async with held_back(page, "**/v1/payment_methods"):
        await pay_button(page).click()
        await expect(pay_button(page)).to_be_disabled()
        await expect(pay_button(page)).to_have_attribute("aria-busy", "true")
    await expect(page.locator("h1")).to_have_text("Your request is on its way")


@asynccontextmanager
async def held_back(page: Page, address: str) -> AsyncIterator[None]:
    """Let requests to an address wait while the block runs."""
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    await page.route(address, keep)
    yield
    assert waiting
    for route in waiting:
        await route.continue_()


@on_sqlite
async def test_blocked_script_is_said_and_leaves_no_button_to_press(opened: tuple[Visit, StripeServer]) -> None:
    visit, _ = opened
    page = await hold_a_time(visit, width=390)
    await page.route("**/stripe.js", lambda route: route.abort())
    await page.reload()
    await expect(page.locator("#card-error")).to_contain_text("The card fields could not be loaded.")
    await expect(pay_button(page)).to_be_disabled()
    assert await find_violations(page) == []


@on_sqlite
async def test_fields_follow_light_and_dark(opened: tuple[Visit, StripeServer]) -> None:
    visit, _ = opened
    page = await hold_a_time(visit, width=390)
    await expect(pay_button(page)).to_be_enabled()
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await expect(fields(page).locator("body")).to_have_css("background-color", background)
        await expect(fields(page).locator("html")).to_have_css("color-scheme", scheme)


@on_sqlite
async def test_only_the_page_of_payment_may_load_the_script(opened: tuple[Visit, StripeServer]) -> None:
    visit, stripe = opened
    page = await hold_a_time(visit, width=390)
    held = page.url
    for path in ("/", "/p/maya-the-tides", "/me/bookings", held.replace("/book/h/", "/me/bookings/")):
        answer = await page.goto(path)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-src" not in policy
        assert "connect-src 'self';" in policy
        assert await page.locator(f"script[src^='{stripe.address}']").count() == 0
    answer = await page.goto(held)
    assert answer is not None
    assert f"script-src 'self' {stripe.address};" in answer.headers["content-security-policy"]
    assert f"frame-src {stripe.address};" in answer.headers["content-security-policy"]


@on_sqlite
async def test_page_without_script_says_why_no_card_can_be_typed(opened: tuple[Visit, StripeServer]) -> None:
    visit, _ = opened
    page = await hold_a_time(visit, width=390, has_script=False)
    # By its element: Playwright looks for no text inside <noscript>.
    await expect(page.locator("noscript .alert")).to_be_visible()
    await expect(pay_button(page)).to_be_hidden()


REFUSED: Final = {
    "Stripe('sk_test_1')": "publishable key",
    "elements({mode: 'payment', amount: 9.5, currency: 'eur'})": "amount is 9.5",
    "elements({mode: 'payment', amount: 95, currency: 'EUR'})": "currency is",
    "elements({mode: 'payment', currency: 'eur'})": "needs amount",
    "elements({mode: 'payment', amount: 1, currency: 'eur', capture: 'x'})": "capture is not an accepted parameter",
    "elements({mode: 'payment', amount: 1, currency: 'eur', appearance: {variables: {red: 1}}})": "red is not",
}


async def test_stand_in_refuses_what_stripe_refuses(tmp_path: Path) -> None:
    async with open_stripe(tmp_path) as stripe, open_browser() as browser:
        page = await browser.new_page()
        await page.goto(f"{stripe.address}/elements/card")
        await page.add_script_tag(url=f"{stripe.address}/endive/stripe.js")
        await page.evaluate("void (window.elements = (options) => Stripe('pk_test_1').elements(options))")
        for call, refusal in REFUSED.items():
            said = await page.evaluate(f"(() => {{ try {{ {call} }} catch (error) {{ return String(error) }} }})()")
            assert said is not None, call
            assert said.startswith("IntegrationError: ")
            assert refusal in said
