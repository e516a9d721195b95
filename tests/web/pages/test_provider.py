"""The page of a provider: its service and slots by date, and its gallery without script."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from httpx import ASGITransport

from fairground.contracts.providers import Providers
from fairground.kernel.ids import uuid7
from tests.support.browsing import Reader
from tests.support.databases import copy_of
from tests.support.marketplace import Market, open_market, public_provider
from tests.support.photographers import API, Photographer, photographers
from tests.support.pictures import photograph

NAME = "Maya &amp; the Tides"
PHOTOS = ((photograph(900, 600), "At the harbour"), (photograph(300, 400), ""), (photograph(420, 280), "On stage"))


@dataclass(frozen=True)
class Exhibition:
    """A provider with a portrait, three pictures in its gallery and one that is not."""

    market: Market
    photographer: Photographer
    path: str
    hung: list[str]
    unhung: str


@pytest.fixture(scope="module")
async def exhibition(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exhibition]:
    folder = tmp_path_factory.mktemp("exhibition")
    async with open_market(copy_of(sqlite_template, folder), folder=folder / "var") as market:
        _, path = await public_provider(market)
        assert 'id="pictures"' not in (await market.reader().open(path)).answer.text
        provider = await market.program.links.of(Providers).get_provider(id_or_slug=path.removeprefix("/p/"))
        transport = ASGITransport(app=market.app)
        async with photographers(
            market.program.links, [provider.id], base_url="https://127.0.0.1:8000", transport=transport
        ) as [photographer]:
            unhung = await photographer.show_portrait(photograph(200, 200))
            yield Exhibition(market, photographer, path, await photographer.hang(PHOTOS), unhung)


def part_of(page: Reader) -> str:
    return page.answer.text.partition('<figure class="viewer">')[2].partition("</figure>")[0]


async def test_each_picture_is_a_page_that_leads_to_the_others_and_back(exhibition: Exhibition) -> None:
    path, (first, second, third) = exhibition.path, exhibition.hung
    reader = await exhibition.market.reader().open(f"{path}/pictures/{first}")
    assert "Picture 1 of 3" in reader.text
    assert "At the harbour" in reader.text
    assert 'sizes="(max-width: 640px) 400px, (max-width: 1024px) 800px, 1200px"' in reader.answer.text
    assert 'fetchpriority="high"' in reader.answer.text
    assert 'loading="lazy"' not in reader.answer.text
    part = await exhibition.market.reader().open(f"/_f{path}/pictures/{first}")
    assert part_of(part) == part_of(reader) != ""

    walked = [(await reader.follow("Next picture")).path.rpartition("/")[2] for _ in range(3)]
    assert walked == [second, third, first]
    assert (await reader.follow("Previous picture")).path == f"{path}/pictures/{third}"
    assert (await reader.follow("Back to Maya")).path.partition("#")[0] == path


async def test_picture_outside_the_gallery_has_no_page(exhibition: Exhibition) -> None:
    for picture_id in (exhibition.unhung, uuid7(), UUID(int=1), "none"):
        for prefix in ("", "/_f"):
            page = await exhibition.market.reader().open(f"{prefix}{exhibition.path}/pictures/{picture_id}")
            assert page.status == 404
    assert (await exhibition.market.reader().open(f"/p/unknown/pictures/{exhibition.hung[0]}")).status == 404


async def test_portrait_names_its_provider_and_has_high_priority(exhibition: Exhibition) -> None:
    page = (await exhibition.market.reader().open(exhibition.path)).answer.text
    [head] = re.findall(r"<img [^>]*alt=\"Picture of [^>]*>", page)
    assert f'alt="Picture of {NAME}" width="512" height="512" fetchpriority="high"' in head
    assert " 1024w" in head
    assert page.count("fetchpriority") == 1
    for address in ("/c/artists", "/"):
        [card] = re.findall(r"<img src=\"/api/[^>]*>", (await exhibition.market.reader().open(address)).answer.text)
        assert 'alt="" width="512" height="512" fetchpriority="high"' in card


async def test_a_gallery_is_a_row_of_links_to_its_pictures(exhibition: Exhibition) -> None:
    path, (first, second, third) = exhibition.path, exhibition.hung
    reader = await exhibition.market.reader().open(path)
    shown = reader.answer.text
    assert re.findall(rf'href="{path}/pictures/([^"]+)"', shown) == [first, second, third]
    assert shown.count('loading="lazy"') == 3
    assert [alt for alt in re.findall(r'alt="([^"]+)"', shown) if not alt.startswith("Picture of")] == [
        f"{NAME}: At the harbour",
        f"{NAME}, picture 2 of 3",
        f"{NAME}: On stage",
    ]
    [widest, *_] = re.findall(r'type="image/webp" srcset="[^"]*, ([^"]+)"', shown)
    assert widest.endswith("&amp;w=1200&amp;q=90&amp;fmt=webp 900w")
    assert 'viewBox="0 0 900 600"' in shown
    assert 'href="data:image/webp;base64,' in shown

    owner, provider_id = exhibition.photographer.owner, exhibition.photographer.provider_id
    await owner.delete(f"{API}/service-provider-profiles/{provider_id}/gallery/{second}")
    assert second not in (await reader.open(path)).answer.text, "the page is invalidated at once"


async def services_with_times(reader: Reader, path: str) -> set[str]:
    await reader.open(path)
    return set(re.findall(r"/book/[^?]+\?service=([0-9a-f-]+)", reader.answer.text))


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_date_is_shown_for_the_shortest_service_and_no_date_for_the_cheapest(market: Market) -> None:
    provider, page = await public_provider(market)
    stranger = market.reader()
    shortest = await services_with_times(stranger, page)
    [day] = re.findall(r"starts_at=(\d{4}-\d\d-\d\d)", stranger.answer.text)[:1]
    await provider.open("/pro/services")
    await provider.send(
        "Add service",
        name="Whole day",
        category="pianist",
        price="1.50",
        duration_minutes="600",
        booking_mode="request",
    )
    assert await services_with_times(stranger, page) != shortest
    assert await services_with_times(stranger, f"{page}?date={day}") == shortest
