"""The same walk in a real browser, with script and without, and on a small screen."""

from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page

from fairground.contracts.accounts import Accounts, Role
from tests.support.addresses import HOME
from tests.support.marketplace import PASSWORD, public_provider
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

_PHONE_WIDTH, _NARROWEST_WIDTH = 390, 320


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).first.click()
    await page.wait_for_load_state()


async def _find_and_book(customer: Page) -> None:
    await customer.goto("/")
    await customer.fill("#search-q", "maya")
    await _press(customer, "Find")
    await customer.get_by_role("link", name="Maya & the Tides").click()
    await customer.locator("a.day").nth(1).click()
    await customer.locator('a.day[aria-current="date"]').first.wait_for()
    await customer.locator("a.slot").first.click()
    await customer.fill("#street", HOME.street)
    await customer.fill("#city", HOME.city)
    await customer.fill("#note", "My mother's birthday")
    await _press(customer, "Continue to payment")
    await customer.get_by_label("Requires 3-D Secure").check()
    await _press(customer, "Request to book")
    await _press(customer, "Complete authentication")
    assert await customer.locator("h1").inner_text() == "Request sent"


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
async def test_a_booking_is_found_paid_accepted_completed_and_reviewed(visit: Visit, *, has_script: bool) -> None:
    await public_provider(visit.market)
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="nora@example.org", password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER)
    customer = await visit.signed_in("nora@example.org", has_script=has_script)
    await _find_and_book(customer)
    await customer.get_by_role("link", name="View booking").click()
    booking = customer.url

    provider = await visit.signed_in("maya@example.org", has_script=has_script)
    await provider.goto("/pro")
    await _press(provider, "Accept")
    await customer.reload()
    assert await customer.locator(".badge").first.inner_text() == "Confirmed"

    starts_at = await customer.locator(".facts time").first.get_attribute("datetime")
    visit.market.skip_to(datetime.fromisoformat(starts_at or "") + timedelta(hours=2))
    provider = await visit.signed_in("maya@example.org", has_script=has_script)
    await provider.goto(booking)
    await _press(provider, "Mark as completed")
    customer = await visit.signed_in("nora@example.org", has_script=has_script)
    await customer.goto(booking)
    await customer.get_by_label("5 stars").check()
    await customer.fill("#text", "She danced until one.")
    await _press(customer, "Publish review")
    await customer.goto("/p/maya-the-tides")
    assert await customer.get_by_text("She danced until one.").count() == 1
    assert visit.complaints == []


async def _scroll_through_home(visit: Visit) -> None:
    """See that the rows of home are asked for once, when a reader comes near them."""
    reader = await visit.person(width=_PHONE_WIDTH)
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url.removeprefix(visit.address)))
    await reader.goto("/")
    await reader.wait_for_load_state("networkidle")
    assert not [path for path in asked if path.startswith("/_f/")]
    for row in ("chefs", "tutors"):
        await reader.locator(f"#row-{row}").scroll_into_view_if_needed()
        await reader.locator(f"[hx-get='/_f/row/{row}']").wait_for(state="detached")
    assert sorted(path for path in asked if path.startswith("/_f/")) == ["/_f/row/chefs", "/_f/row/tutors"]


async def test_script_replaces_parts_and_keeps_addresses_and_the_way_back(visit: Visit) -> None:
    await public_provider(visit.market)
    reader = await visit.person()
    await reader.goto("/c/artists")
    await reader.evaluate("window.stayed = true")
    await reader.fill("#location", "Nowhere")
    await reader.keyboard.press("Tab")
    await reader.get_by_text("0 results").wait_for()
    assert reader.url == f"{visit.address}/c/artists?location=Nowhere"
    assert await reader.evaluate("window.stayed")
    await reader.go_back()
    await reader.get_by_text("1 result").wait_for()

    await _scroll_through_home(visit)
    customer = await visit.signed_in("maya@example.org", has_script=True)
    await customer.goto("/")
    await customer.get_by_text("Menu for Maya Rivera").wait_for(state="attached")
    assert visit.complaints == []


async def test_no_page_is_wider_than_the_screen(visit: Visit) -> None:
    await public_provider(visit.market)
    for width in (_PHONE_WIDTH, _NARROWEST_WIDTH):
        provider = await visit.signed_in("maya@example.org", has_script=True, width=width)
        for path in (
            "/", "/c/artists", "/p/maya-the-tides", "/pro", "/pro/profile", "/pro/hours", "/pro/calendar",
            "/pro/calendar?view=month", "/me/security",
        ):  # fmt: skip
            await provider.goto(path)
            overflow = await provider.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, f"{path} at {width} px"
