"""The walk of each role through the pages with a mouse, on a phone's width and on a desk's.

Playwright's `click` moves a pointer to the middle of a control and presses there, so a control that is covered is not
pressed. Nothing here is pressed by script or by key.
"""

import pytest
from playwright.async_api import Page, expect

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import BookingMode, Providers, ServiceIn
from tests.support.addresses import HOME, HOME_FIELDS
from tests.support.marketplace import PASSWORD, Market, public_provider
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

WIDTHS = (390, 1280)


async def _press(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.get_by_role("button", name=name).first.click()


async def _follow(page: Page, name: str, *, within: str = "body") -> None:
    async with page.expect_navigation():
        await page.locator(within).get_by_role("link", name=name).first.click()


async def _add_instant_service(market: Market) -> None:
    catalog = market.program.links.of(Providers)
    provider = await catalog.get_provider(id_or_slug="maya-the-tides")
    category = provider.service_categories[0]
    owner_id = (await catalog.get_provider_ref(provider_id=provider.id)).owner_id
    assert owner_id is not None
    service = ServiceIn(
        name="Morning set",
        category=category,
        price_minor=13_000,
        currency=await catalog.get_currency(),
        duration_minutes=60,
        booking_mode=BookingMode.INSTANT,
    )
    await catalog.add_service(owner_id=owner_id, provider_id=provider.id, service=service)


async def _find_a_time(reader: Page, *, service: str) -> None:
    """Search from home, open the provider from the list, and choose a service, a day and a time."""
    await reader.goto("/")
    await reader.locator("#search-q").click()
    await reader.keyboard.type("maya")
    await _press(reader, "Find")
    await _follow(reader, "Maya & the Tides")
    await reader.get_by_role("link", name=f"See times for {service}").click()
    await reader.get_by_role("heading", name=service, level=2).wait_for()
    await reader.locator("a.day").nth(1).click()
    await reader.locator('a.day[aria-current="date"]').wait_for()
    async with reader.expect_navigation():
        await reader.locator("a.slot").first.click()


async def _sign_in(page: Page, email: str) -> None:
    for field, text in (("#email", email), ("#password", PASSWORD)):
        await page.locator(field).click()
        await page.keyboard.type(text)
    await _press(page, "Sign in")


async def _hold_and_pay(customer: Page, *, card: str, button: str) -> None:
    for field, text in (("#street", HOME.street), ("#city", HOME.city)):
        await customer.locator(field).click()
        await customer.keyboard.type(text)
    await customer.locator("#note").click()
    await customer.keyboard.type("My mother's birthday")
    await _press(customer, "Continue to payment")
    await customer.get_by_label(card).check()
    await _press(customer, button)


@pytest.mark.parametrize("width", WIDTHS)
async def test_customer_finds_books_pays_and_cancels_with_mouse(visit: Visit, width: int) -> None:
    await public_provider(visit.market)
    await _add_instant_service(visit.market)
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="nora@example.org", password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER)
    customer = await visit.person(width=width)

    await _find_a_time(customer, service="Morning set")
    await _sign_in(customer, "nora@example.org")
    await _hold_and_pay(customer, card="4242", button="Book and pay")
    await _follow(customer, "View booking")
    await expect(customer.locator(".badge").first).to_have_text("Confirmed")
    await _follow(customer, "Cancel …")
    await _press(customer, "Cancel booking")
    await expect(customer.locator(".badge").first).to_have_text("Cancelled")

    await _find_a_time(customer, service="Evening set")
    await _hold_and_pay(customer, card="3184", button="Request to book")
    await _press(customer, "Complete authentication")
    await expect(customer.locator("h1")).to_have_text("Request sent")
    assert visit.complaints == []


async def _open_account(provider: Page) -> None:
    await provider.goto("/")
    menu = provider.locator("details.menu > summary")
    if await menu.is_visible():
        await menu.click()
    await _follow(provider, "Offer your services")
    for field, text in (("#name", "Maya Rivera"), ("#email", "maya@example.org"), ("#password", PASSWORD)):
        await provider.locator(field).click()
        await provider.keyboard.type(text)
    await _press(provider, "Create account")


async def _describe_and_offer(provider: Page) -> None:
    await _follow(provider, "Artists", within="main")
    await provider.fill("#business_name", "Maya & the Tides")
    await provider.fill("#bio", "We met at a street party and have not stopped playing since.")
    await provider.get_by_label("Pianist").check()
    await provider.fill("#location", "Oslo, Norway")
    await provider.select_option("#timezone", "Europe/Oslo")
    await _press(provider, "Save and continue")
    await provider.fill("#name", "Evening set")
    await provider.select_option("#category", "pianist")
    await provider.fill("#price", "97.50")
    await provider.fill("#duration_minutes", "60")
    await provider.get_by_label("On request").check()
    await _press(provider, "Add service")
    await _follow(provider, "Hours", within="nav.side-nav")
    for weekday in range(7):
        await provider.fill(f"#start_{weekday}_0", "10:00")
        await provider.fill(f"#end_{weekday}_0", "20:00")
    await _press(provider, "Save hours")
    await provider.get_by_text("Your hours are saved").wait_for()


async def _approve(staff: Page) -> None:
    await staff.goto("/admin/approvals")
    await _follow(staff, "Maya & the Tides")
    await _press(staff, "Approve")
    await staff.get_by_text("Maya & the Tides is approved.").wait_for()


async def _request(market: Market) -> None:
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await (await customer.open("/p/maya-the-tides")).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, note="Garden")
    await customer.send("Request to book", payment_method="pm_card_visa")
    assert customer.status == 200


@pytest.mark.parametrize("width", WIDTHS)
async def test_provider_opens_shop_and_accepts_request_after_staff_approves_with_mouse(
    visit: Visit, width: int
) -> None:
    provider = await visit.person(width=width)
    await _open_account(provider)
    await provider.goto(await visit.market.mailed_link("maya@example.org", path="/verify-email"))
    await _press(provider, "Confirm email address")
    await provider.goto("/pro/profile")
    await _describe_and_offer(provider)
    await _follow(provider, "Today", within="nav.side-nav")
    await _press(provider, "Submit for review")

    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="ada@example.org", password=PASSWORD, name="Ada Staff", role=Role.ADMIN)
    staff = await visit.person(width=width)
    await staff.goto("/login")
    await _sign_in(staff, "ada@example.org")
    await _approve(staff)

    await _request(visit.market)
    await provider.goto("/pro")
    await _press(provider, "Accept")
    await expect(provider.locator(".badge").first).to_have_text("Confirmed")
    assert visit.complaints == []
