"""Search on the page: what was typed stays, what it may be narrowed to is a link, and nothing found shows ways on."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from fairground.contracts.discovery import PriceBand, ProviderSort
from fairground.contracts.imports import ImportedProvider, Imports
from fairground.web.pages.search import HISTOGRAM_HEIGHT, PAGES_MAX, Search, price_bars
from tests.support.lists import fill_lists
from tests.support.marketplace import Market, open_market

pytestmark = pytest.mark.anyio


@pytest.fixture
async def market(migrated_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with open_market(migrated_url, folder=tmp_path) as market:
        imports = market.program.links.of(Imports)
        rows = [
            ImportedProvider(
                external_id=str(number),
                business_name=f"Løkka Trio {number}",
                location="Oslo, Norway" if number % 2 else "Bergen, Norway",
                timezone="Europe/Oslo",
                categories=["jazz" if number % 3 else "pianist"],
                price_minor=10_000,
            )
            for number in range(30)
        ]
        await imports.import_providers(vertical="artists", source="test", providers=rows)
        await imports.import_providers(
            vertical="tutors", source="test", providers=[rows[0].model_copy(update={"categories": ["piano"]})]
        )
        await fill_lists(market.program)
        yield market


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_search_keeps_its_words_and_offers_to_narrow_it(market: Market) -> None:
    reader = await market.reader().open("/s?q=lokka")
    assert (reader.status, 'value="lokka"' in reader.answer.text) == (200, True)
    assert "30 results" in reader.text
    narrowed = await market.reader().open("/c/artists?q=lokka&category=jazz_ensemble&location=Oslo")
    assert "10 results" in narrowed.text
    for address in ("/c/artists?q=lokka&amp;location=Oslo", "/s?q=lokka&amp;location=Oslo"):
        assert f'href="{address}"' in narrowed.answer.text
    # The order of a list means nothing to a search, so it is not asked for.
    assert 'name="sort"' not in reader.answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_the_results_are_one_part_that_can_be_swapped(market: Market) -> None:
    reader = await market.reader().open("/_f/s?q=lokka&page=2")
    assert reader.answer.headers["hx-push-url"] == "/s?q=lokka&page=2"
    assert reader.answer.text.count("<article") == 6


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_mistyped_word_is_found_and_said(market: Market) -> None:
    reader = await market.reader().open("/s?q=loka+trioo")
    assert "Showing results for “Løkka” instead of “loka”." in reader.text
    assert "Showing results for “Trio” instead of “trioo”." in reader.text
    assert 'value="loka trioo"' in reader.answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_empty_result_links_to_wider_searches(market: Market) -> None:
    reader = await market.reader().open("/c/artists?q=lokka+saxophone&location=Oslo")
    assert "No results" in reader.text
    for address in (
        "/c/artists?q=lokka&amp;location=Oslo",
        "/c/artists?q=lokka+saxophone",
        "/s?q=lokka+saxophone&amp;location=Oslo",
    ):
        assert f'href="{address}"' in reader.answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_map_tiles_come_only_from_the_configured_server(migrated_url: str, tmp_path: Path) -> None:
    no_tiles: dict[str, Any] = {}
    tiles: dict[str, Any] = {
        "map_tiles_url": "https://tiles.example/{z}/{x}/{y}.png",
        "map_attribution": '<a href="/by">People</a>',
    }
    for settings, origin in ((no_tiles, ""), (tiles, " https://tiles.example")):
        async with open_market(migrated_url, folder=tmp_path, **settings) as market:
            imports = market.program.links.of(Imports)
            row = ImportedProvider(
                external_id="1",
                business_name="Løkka Trio",
                location="Oslo, Norway",
                lat=59.91389,
                lng=10.75226,
                timezone="Europe/Oslo",
                categories=["jazz"],
            )
            await imports.import_providers(vertical="artists", source="test", providers=[row])
            await fill_lists(market.program)
            page = await market.reader().open("/c/artists?location=oslo")
            pins = await market.reader().open("/_f/c/artists/map?location=oslo")
            empty = await market.reader().open("/_f/s/map?q=unknown")
        assert f"img-src 'self' data:{origin};" in page.answer.headers["content-security-policy"]
        assert 'hx-get="/_f/c/artists/map?location=oslo"' in page.answer.text
        assert 'data-lat="59.91" data-lng="10.75" data-place="Oslo"' in pins.answer.text
        assert ("tiles.example" in pins.answer.text, "land-110m" in pins.answer.text) == (bool(origin), not origin)
        assert "place-map" not in empty.answer.text


def _read(query: str, *, vertical: str = "") -> Search:
    return Search.read(QueryParams(query), vertical=vertical)


def test_address_contains_the_whole_search() -> None:
    query = "category=jazz&q=ma&location=Oslo&min_price=50&max_price=400&when=2026-12-05&sort=price&page=3"
    search = _read(query, vertical="artists")
    assert search.page_url(3) == f"/c/artists?{query}"
    assert Search.read(QueryParams(search.page_url(3).partition("?")[2]), vertical="artists") == search


def test_a_changed_filter_starts_at_the_first_page() -> None:
    assert _read("q=ma&page=7").url(location="Oslo") == "/s?q=ma&location=Oslo"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("min_price=cheap&page=-4&sort=best", Search()),
        ("page=0", Search()),
        ("min_price=%20&max_price=1e9", Search()),
        ("sort=newest", Search(sort=ProviderSort.NEWEST)),
        ("min_rating=4.5", Search(min_rating="4.5")),
        ("min_rating=4.7", Search()),
        ("when=2026-12-05", Search(when=date(2026, 12, 5))),
        ("when=2026-02-30", Search()),
        ("when=0202-02-20", Search()),
        ("when=tomorrow", Search()),
        ("page=99999999", Search(page=PAGES_MAX)),
        ("min_price=99999999999999999999", Search(min_price=10_000_000)),
    ],
)
def test_invalid_parameters_are_ignored(query: str, expected: Search) -> None:
    assert _read(query) == expected


def test_text_is_cut_after_80_characters() -> None:
    assert len(_read("q=" + "a" * 500).q) == 80


def test_the_vertical_of_the_path_rules() -> None:
    assert _read("vertical=chefs", vertical="artists").path == "/c/artists"
    assert _read("vertical=chefs").path == "/c/chefs"
    assert _read("").path == "/s"


def test_the_histogram_marks_the_bands_that_the_search_reaches() -> None:
    bands = [PriceBand(min_price=low, max_price=high, count=count) for low, high, count in BANDS]
    bars = price_bars(bands, search=Search(min_price=60, max_price=150))
    assert [bar.is_wanted for bar in bars] == [False, True, True, False]
    assert [bar.height for bar in bars] == [10, HISTOGRAM_HEIGHT, 0, 20]


def test_the_histogram_of_nothing_is_flat() -> None:
    assert [bar.height for bar in price_bars([PriceBand(min_price=0, max_price=None, count=0)], search=Search())] == [0]


BANDS = [(0, 50, 1), (50, 100, 4), (100, 200, 0), (200, None, 2)]
