"""Search on the page: what was typed stays, what it may be narrowed to is a link, and nothing found shows ways on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairground.contracts.catalog import Catalog, ImportedProvider
from tests.support.marketplace import Market, open_market

pytestmark = pytest.mark.anyio


@pytest.fixture
async def market(migrated_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with open_market(migrated_url, folder=tmp_path) as market:
        catalog = market.program.links.of(Catalog)
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
        await catalog.import_providers(vertical="artists", source="test", providers=rows)
        await catalog.import_providers(
            vertical="tutors", source="test", providers=[rows[0].model_copy(update={"categories": ["piano"]})]
        )
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
    assert "Looked for “Løkka” instead of “loka”." in reader.text
    assert "Looked for “Trio” instead of “trioo”." in reader.text
    assert 'value="loka trioo"' in reader.answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_where_nothing_is_found_there_are_ways_on(market: Market) -> None:
    reader = await market.reader().open("/c/artists?q=lokka+saxophone&location=Oslo")
    assert "Nobody matches all of this" in reader.text
    for address in (
        "/c/artists?q=lokka&amp;location=Oslo",
        "/c/artists?q=lokka+saxophone",
        "/s?q=lokka+saxophone&amp;location=Oslo",
    ):
        assert f'href="{address}"' in reader.answer.text
