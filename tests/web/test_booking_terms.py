"""Bookings of each price model and place, with a real pointer, on a phone's width and on a desk's."""

import pytest
from playwright.async_api import Page, expect

from fairground.contracts.accounts import Accounts, Role
from tests.support.addresses import HOME
from tests.support.chef_market import ChefMarket, add_chef
from tests.support.marketplace import PASSWORD
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

WIDTHS = (390, 1280)


async def _press(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.get_by_role("button", name=name).first.click()


async def _customer(visit: Visit, *, width: int, has_script: bool = True) -> tuple[ChefMarket, Page]:
    chef = await add_chef(visit.market)
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="nora@example.org", password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER)
    return chef, await visit.signed_in("nora@example.org", has_script=has_script, width=width)


async def _choose_late_day(page: Page) -> None:
    """Choose a day of the next month, on which cancelling is still free."""
    async with page.expect_response(lambda answer: "/_f/p/" in answer.url):
        await page.locator(".calendar-head a.round").last.click()
    async with page.expect_response(lambda answer: "/_f/p/" in answer.url):
        await page.locator("a.day").nth(14).click()
    await page.locator('a.day[aria-current="date"]').wait_for()


async def _choose_slot(page: Page) -> None:
    async with page.expect_navigation():
        await page.locator("a.slot").first.click()


async def _change_people(page: Page, number: str) -> None:
    async with page.expect_response(lambda answer: "/_f/book/" in answer.url):
        await page.fill("#party_size", number)
        await page.locator("#party_size").blur()


async def _pay(page: Page, button: str) -> None:
    await page.get_by_label("4242").check()
    await _press(page, button)


@pytest.mark.parametrize("width", WIDTHS)
async def test_dinner_per_person_at_the_customers_place(visit: Visit, width: int) -> None:
    chef, page = await _customer(visit, width=width)
    await page.goto(f"/p/{chef.slug}?service={chef.services['Dinner']}")
    await expect(page.locator(".services")).to_contain_text("from €160 · €80 per person")
    await expect(page.locator(".services")).to_contain_text("At your place, up to 30 km from Oslo, Norway")
    await _choose_late_day(page)
    async with page.expect_response(lambda answer: "party_size=3" in answer.url):
        await page.fill("#people", "3")
        await page.locator("#people").blur()
    await expect(page.locator("#times .amount")).to_have_text("€240")
    await _choose_slot(page)

    await expect(page.locator("#summary")).to_contain_text("€80 × 3 people")
    await _change_people(page, "4")
    await expect(page.locator("#summary tfoot")).to_contain_text("€320.00")
    for field, text in (("#street", HOME.street), ("#city", HOME.city)):
        await page.locator(field).click()
        await page.keyboard.type(text)
    assert await page.locator("#country").input_value() == "NO"
    await page.fill("#phone", "+47 40 00 00 00")
    await _press(page, "Continue to payment")

    await expect(page.locator("aside")).to_contain_text("€80 × 4 people")
    async with page.expect_navigation():
        await page.get_by_role("link", name="Details", exact=True).click()
    assert await page.locator("#street").input_value() == HOME.street
    await _change_people(page, "5")
    await _press(page, "Continue to payment")
    await expect(page.locator("aside")).to_contain_text("€80 × 5 people")
    await _pay(page, "Book and pay €400.00")
    async with page.expect_navigation():
        await page.get_by_role("link", name="View booking").click()
    await expect(page.locator("#contact")).to_contain_text("chef@example.org")

    owner = await visit.signed_in("chef@example.org", has_script=True, width=width)
    await owner.goto(page.url)
    for fact in ("nora@example.org", "+47 40 00 00 00", HOME.street, "Norway"):
        await expect(owner.locator("#contact")).to_contain_text(fact)
    assert visit.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
async def test_class_by_the_hour_online(visit: Visit, width: int) -> None:
    chef, page = await _customer(visit, width=width)
    await page.goto(f"/p/{chef.slug}?service={chef.services['Class']}")
    await expect(page.locator(".services")).to_contain_text("€60 per hour")
    await _choose_late_day(page)
    async with page.expect_response(lambda answer: "duration_minutes=150" in answer.url):
        await page.select_option("#length", "150")
    await expect(page.locator("#times .amount")).to_have_text("€150")
    await _choose_slot(page)
    await expect(page.locator("#summary")).to_contain_text("€60 × 2 h 30 min")
    await expect(page.locator("#street")).to_have_count(0)
    async with page.expect_response(lambda answer: "/_f/book/" in answer.url):
        await page.select_option("#duration_minutes", "90")
    await expect(page.locator("#summary tfoot")).to_contain_text("€90.00")
    reserved = "The amount is reserved on your card now and only charged if Kim's Kitchen accepts."
    await expect(page.locator("main")).to_contain_text(reserved)
    await _press(page, "Continue to payment")
    await expect(page.locator("main")).to_contain_text(reserved)
    await _pay(page, "Request to book for €90.00")

    owner = await visit.signed_in("chef@example.org", has_script=True, width=width)
    await owner.goto(page.url.replace("/book/h/", "/me/bookings/").removesuffix("/done"))
    await expect(owner.locator("#contact")).to_have_count(0)
    await expect(owner.get_by_role("link", name="Cancel")).to_have_count(0)
    await owner.get_by_text("Decline request").click()
    await _press(owner, "Decline")
    assert visit.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
async def test_address_fields_are_those_of_the_customers_place(visit: Visit, width: int) -> None:
    chef, page = await _customer(visit, width=width)
    await page.goto(f"/p/{chef.slug}?service={chef.services['Tasting']}")
    await _choose_late_day(page)
    await _choose_slot(page)
    await page.get_by_label("At my place").check()
    await expect(page.locator("#street")).to_be_visible()
    await page.get_by_label("At Kim's Kitchen’s place").check()
    await expect(page.locator("#street")).to_be_hidden()
    await _press(page, "Continue to payment")
    await _pay(page, "Book and pay €120.00")
    await expect(page.locator("h1")).to_have_text("Booking confirmed")
    assert visit.complaints == []


async def test_without_script_the_total_is_confirmed_before_a_hold(visit: Visit) -> None:
    chef, page = await _customer(visit, width=1280, has_script=False)
    await page.goto(f"/p/{chef.slug}?service={chef.services['Dinner']}")
    await page.fill("#people", "3")
    await _press(page, "Show")
    await page.locator(".calendar-head a.round").last.click()
    await page.locator("a.day").nth(14).click()
    await page.locator("a.slot").first.click()
    await expect(page.locator("#summary tfoot")).to_contain_text("€240.00")
    await page.fill("#party_size", "4")
    await _press(page, "Update total")
    await expect(page.locator("#summary tfoot")).to_contain_text("€320.00")
    await page.fill("#party_size", "5")
    await page.fill("#street", HOME.street)
    await page.fill("#city", HOME.city)
    await _press(page, "Continue to payment")
    await expect(page.locator(".error-summary")).to_contain_text("The amount has changed")
    await expect(page.locator("#summary tfoot")).to_contain_text("€400.00")
    await _press(page, "Continue to payment")
    await expect(page.locator("aside")).to_contain_text("€80 × 5 people")
