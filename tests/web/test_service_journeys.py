"""A provider's walk through the pages of services with a mouse, on a phone's width and on a desk's.

As in `test_mouse_journeys`, nothing is pressed by script or by key, so a control that is covered is not pressed.
"""

import pytest
from playwright.async_api import Locator, Page, expect

from fairground.contracts.accounts import Role
from tests.support.axe import find_violations
from tests.support.marketplace import describe
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]


async def _press(page: Page, button: Locator) -> None:
    async with page.expect_navigation():
        await button.click()


def _row(page: Page, name: str) -> Locator:
    return page.locator(".service").filter(has=page.get_by_role("heading", name=name, exact=True))


async def _services(page: Page) -> list[str]:
    return await page.locator(".service .row-title").all_inner_texts()


async def _check_fields_that_apply(page: Page) -> None:
    """Fields of another price model or place are hidden, and come back with the choice."""
    longest, radius = page.locator("#max_duration_minutes"), page.locator("#travel_radius_km")
    await expect(longest).to_be_hidden()
    await expect(radius).to_be_visible()
    await page.get_by_label("Per hour").check()
    await expect(longest).to_be_visible()
    await longest.fill("90")
    await page.get_by_label("Per person").check()
    await expect(longest).to_be_hidden()
    at_customer = page.get_by_label("At the customer’s place")
    await at_customer.uncheck()
    await expect(radius).to_be_hidden()
    await at_customer.check()
    await expect(radius).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
async def test_provider_adds_edits_duplicates_orders_pauses_and_removes_services_with_mouse(
    visit: Visit, width: int
) -> None:
    owner = await visit.market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(owner, name="Maya", vertical="chefs", categories=["italian", "seafood"])
    page = await visit.signed_in("maya@example.org", has_script=True, width=width)
    await page.goto("/pro/services")
    await _check_fields_that_apply(page)
    for field, text in (("name", "Dinner"), ("price", "80,00"), ("duration_minutes", "180"), ("max_people", "8")):
        await page.fill(f"#{field}", text)
    await page.select_option("#category", "italian")
    await page.fill("#min_people", "2")
    await _press(page, page.get_by_role("button", name="Add service"))
    await expect(_row(page, "Dinner")).to_contain_text("€80 per person")
    await expect(_row(page, "Dinner")).to_contain_text("2 to 8 people")

    await _press(page, _row(page, "Dinner").get_by_role("link", name="Edit"))
    await page.fill("#price", "85")
    await _press(page, page.get_by_role("button", name="Save changes"))
    await expect(_row(page, "Dinner")).to_contain_text("€85 per person")

    await _press(page, _row(page, "Dinner").get_by_role("button", name="Duplicate"))
    await page.fill("#name", "Lunch")
    await _press(page, page.get_by_role("button", name="Save changes"))
    assert await _services(page) == ["Dinner", "Lunch"]
    await _press(page, _row(page, "Lunch").get_by_role("button", name="Move up"))
    assert await _services(page) == ["Lunch", "Dinner"]
    await _press(page, _row(page, "Lunch").get_by_role("button", name="Resume"))
    await _press(page, _row(page, "Dinner").get_by_role("button", name="Pause"))
    await expect(_row(page, "Dinner")).to_contain_text("Paused")
    assert await find_violations(page) == []

    await _row(page, "Dinner").get_by_role("button", name="Remove").click()
    await _press(page, page.get_by_role("dialog").get_by_role("button", name="Remove it"))
    assert await _services(page) == ["Lunch"]
    assert visit.complaints == []
