"""The gallery of a provider in a real browser: by keyboard above its page, by links without script."""

import pytest
from playwright.async_api import Page

from fairground.contracts.providers import Providers
from tests.support.marketplace import public_provider
from tests.support.photographers import photographers
from tests.support.pictures import photograph
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

PHOTOS = ((photograph(900, 600), "At the harbour"), (photograph(300, 400), ""))
NARROWEST_WIDTH = 320


async def _exhibit(visit: Visit) -> str:
    """Hang pictures, and return the path of the provider's page."""
    _, path = await public_provider(visit.market)
    links = visit.market.program.links
    provider = await links.of(Providers).get_provider(id_or_slug=path.removeprefix("/p/"))
    async with photographers(links, [provider.id], base_url=visit.address) as [owner]:
        await owner.hang(PHOTOS)
    return path


async def _walk_above_the_page(reader: Page) -> None:
    """Open the first picture, go on to the second and leave, by keys alone."""
    at = reader.url
    await reader.locator(".gallery a").first.focus()
    await reader.keyboard.press("Enter")
    await reader.locator(".lightbox [data-close]:focus").wait_for()
    for key, shown in (("ArrowRight", 2), ("ArrowRight", 1), ("ArrowLeft", 2)):
        await reader.keyboard.press(key)
        await reader.locator(".lightbox").get_by_text(f"Picture {shown} of 2", exact=True).wait_for()
    await reader.locator(".lightbox [rel=prev]:focus").wait_for()
    assert await reader.locator(".lightbox [role=status]").inner_text() == "Maya & the Tides, picture 2 of 2"
    await reader.keyboard.press("Escape")
    await reader.locator(".gallery li:nth-child(2) a:focus").wait_for()
    assert not await reader.locator(".lightbox").is_visible()
    assert reader.url == at


async def _walk_by_links(reader: Page) -> None:
    provider = reader.url
    await reader.locator(".gallery a").first.click()
    await reader.get_by_text("Picture 1 of 2", exact=True).wait_for()
    await reader.get_by_role("link", name="Next picture").click()
    await reader.get_by_text("Picture 2 of 2", exact=True).wait_for()
    assert reader.url.startswith(f"{provider}/pictures/")
    await reader.get_by_role("link", name="Back to Maya & the Tides").click()
    await reader.wait_for_url(f"{provider}#pictures")


async def test_pictures_are_looked_at_by_keyboard_and_without_script(visit: Visit) -> None:
    path = await _exhibit(visit)
    reader = await visit.person(width=NARROWEST_WIDTH)
    await reader.goto(path)
    await _walk_above_the_page(reader)
    await reader.locator(".gallery a").first.click()
    await reader.get_by_text("Picture 1 of 2", exact=True).wait_for()
    await reader.wait_for_load_state("networkidle")
    large = reader.locator(".lightbox picture img")
    assert await large.evaluate("image => image.naturalWidth") >= NARROWEST_WIDTH
    assert await reader.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    await reader.goto(str(await reader.locator(".gallery a").first.get_attribute("href")))
    await reader.keyboard.press("ArrowLeft")
    await reader.get_by_text("Picture 2 of 2", exact=True).wait_for()
    assert await reader.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert visit.complaints == []

    without_script = await visit.person(has_script=False)
    await without_script.goto(path)
    await _walk_by_links(without_script)
