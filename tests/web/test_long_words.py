"""A word without a space, of a user or of a query, breaks on the screen of a phone; no page scrolls sideways."""

from typing import Final

import pytest
from playwright.async_api import Page

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import BookingMode, ProfileChanges, Providers, ServiceIn
from tests.support.marketplace import PASSWORD, public_provider
from tests.support.visits import Visit

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

WIDTH: Final = 390
WORD: Final = "x" * 60
TOO_WIDE: Final = """() => [...document.querySelectorAll("main *")]
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((each) => each.outerHTML.slice(0, 200))"""


async def _check(page: Page, path: str) -> None:
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status < 400, path
    await page.wait_for_load_state("networkidle")
    await _check_width(page)


async def _check_width(page: Page) -> None:
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= WIDTH, f"{page.url} is {width} px wide: {(await page.evaluate(TOO_WIDE))[-3:]}"


async def test_long_word_of_a_query_breaks(visit: Visit) -> None:
    page = await visit.person(width=WIDTH)
    for query in (
        f"/s?q={WORD}",
        f"/s?q={WORD}+{WORD[:19]}&location={WORD}",
        f"/c/artists?q={WORD}&location={WORD}&when=2030-01-07",
        f"/c/artists?location={WORD}",
    ):
        await _check(page, query)
        assert WORD in await page.locator("[role=status]").inner_text()


async def test_long_words_of_users_break(visit: Visit) -> None:
    links = visit.market.program.links
    await public_provider(visit.market)
    providers = links.of(Providers)
    provider = await providers.get_provider(id_or_slug="maya-the-tides")
    owner_id = (await providers.get_provider_ref(provider_id=provider.id)).owner_id
    assert owner_id is not None
    words = ProfileChanges(business_name=WORD, custom_subtitle=WORD, bio=WORD, location=WORD)
    await providers.change_provider(owner_id=owner_id, provider_id=provider.id, changes=words)
    service = ServiceIn(
        name=WORD,
        category="pianist",
        price_minor=10_000,
        currency="EUR",
        duration_minutes=60,
        booking_mode=BookingMode.REQUEST,
        description=WORD,
    )
    added = await providers.add_service(owner_id=owner_id, provider_id=provider.id, service=service)
    slug = (await providers.get_provider(id_or_slug=str(provider.id))).slug
    accounts = links.of(Accounts)
    await accounts.create_user(email="nora@example.org", password=PASSWORD, name=WORD, role=Role.CUSTOMER)

    customer = await visit.signed_in("nora@example.org", has_script=True, width=WIDTH)
    for path in (f"/p/{slug}", "/c/artists", "/me/security"):
        await _check(customer, path)
    await customer.goto(f"/p/{slug}?service={added.id}")
    await customer.locator("a[href^='/book/']").first.click()
    await customer.wait_for_load_state("networkidle")
    await _check_width(customer)

    owner = await visit.signed_in("maya@example.org", has_script=True, width=WIDTH)
    for path in ("/pro", "/pro/preview", "/pro/services", "/pro/profile"):
        await _check(owner, path)
