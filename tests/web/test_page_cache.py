"""A public page is one copy for all readers, and a change of its content shows at once."""

import asyncio
import re

import pytest

from fairground.contracts.accounts import Role
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.lists import lists_have_followed
from tests.support.marketplace import Market, public_provider


@pytest.fixture
def dialect() -> str:
    """Take SQLite, whose one process keeps answers without Redis."""
    return "sqlite"


async def shown(reader: Reader, path: str) -> str:
    """Open a page and return its `X-Cache`."""
    await reader.open(path)
    return reader.answer.headers["x-cache"]


async def test_all_readers_get_the_same_bytes(market: Market) -> None:
    provider, page = await public_provider(market)
    stranger = market.reader()
    for path in ("/", "/c/artists", "/s?q=maya", page, f"/_f{page}", "/_f/s"):
        assert await shown(stranger, path) == "MISS"
        first = stranger.answer
        assert await shown(provider, path) == "HIT"
        assert provider.answer.content == first.content
        assert "set-cookie" not in first.headers
        assert first.headers["cache-control"].startswith("public, max-age=0, s-maxage=")
        assert first.headers["vary"].lower() == "accept-encoding"


async def test_private_page_is_never_cached(market: Market) -> None:
    provider, _ = await public_provider(market)
    await provider.open("/pro")
    assert "x-cache" not in provider.answer.headers
    assert provider.answer.headers["cache-control"].startswith(("private", "no-store"))


async def test_new_price_shows_at_once_on_the_own_page_and_soon_in_lists(market: Market) -> None:
    provider, page = await public_provider(market)
    stranger = market.reader()
    pages = ["/", "/c/artists", "/s?q=maya", page]
    for path in pages:
        await shown(stranger, path)
    await provider.open("/pro/services")
    await provider.send(
        "Add service",
        name="Short set",
        category="pianist",
        price="41.50",
        duration_minutes="60",
        booking_mode="request",
    )
    assert await shown(stranger, page) == "MISS"
    assert "€41.50" in stranger.text
    await lists_have_followed(market.program)
    for path in pages[:-1]:
        assert await shown(stranger, path) == "MISS"
        assert "€41.50" in stranger.text


async def test_a_taken_time_is_gone_from_the_page_at_once(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user("kim@example.org", role=Role.CUSTOMER, name="Kim Berg")
    await customer.open(page)
    free = set(re.findall(r"/book/[^\"]+", customer.answer.text))
    await customer.follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, note="", party_size="4")
    assert await shown(customer, page) == "MISS"
    left = set(re.findall(r"/book/[^\"]+", customer.answer.text))
    assert left < free


async def test_free_provider_is_listed_on_a_day_until_the_day_is_closed(market: Market) -> None:
    provider, page = await public_provider(market)
    stranger = market.reader()
    await stranger.open(page)
    [day] = re.findall(r"starts_at=(\d{4}-\d\d-\d\d)", stranger.answer.text)[:1]
    lists = [f"/c/artists?when={day}", f"/s?q=maya&when={day}", f"/_f/c/artists?when={day}"]
    for path in lists:
        assert await shown(stranger, path) == "MISS"
        assert f'href="{page}?date={day}"' in stranger.answer.text
        assert await shown(stranger, path) == "HIT"
    await provider.open("/pro/hours")
    await provider.send("Save the hours", date_0=day, kind_0="closed")
    for path in lists:
        # A job updates the lists, a moment later.
        while page in (await stranger.open(path)).answer.text:
            await asyncio.sleep(0.02)
        assert stranger.status == 200
    assert "Nobody who matches is free on" in stranger.text
    assert 'href="/c/artists"' in stranger.answer.text


async def test_new_provider_replaces_its_cached_404(market: Market) -> None:
    stranger = market.reader()
    assert await shown(stranger, "/p/maya-the-tides") == "MISS"
    assert await shown(stranger, "/p/maya-the-tides") == "HIT"
    assert stranger.status == 404
    await public_provider(market)
    assert await shown(stranger, "/p/maya-the-tides") == "MISS"
    assert stranger.status == 200


async def test_another_spelling_of_a_search_is_the_same_page(market: Market) -> None:
    stranger = market.reader()
    assert await shown(stranger, "/s?q=maya&page=1&min_price=&utm_source=letter") == "MISS"
    assert await shown(stranger, "/s?min_price=nothing&q=%20maya") == "HIT"
    assert await shown(stranger, "/s?q=maya&max_price=10") == "MISS"
    assert await shown(stranger, "/s?q=maya&colour=red") == "BYPASS"
