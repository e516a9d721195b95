from datetime import date

import pytest
from starlette.datastructures import QueryParams

from fairground.contracts.discovery import PriceBand, ProviderSort
from fairground.web.searches import HISTOGRAM_HEIGHT, PAGES_MAX, Search, price_bars


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
