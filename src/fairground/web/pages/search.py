"""Lists and search: providers of one vertical or of all, with filters in the address, numbered pages and a map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Annotated, Any, Final, Self, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.responses import HTMLResponse

from fairground.contracts.discovery import (
    Discovery,
    PriceBand,
    ProviderQuery,
    ProviderSort,
    SearchQuery,
    free_tags,
    list_tag,
)
from fairground.contracts.providers import ALL_PROVIDERS
from fairground.kernel.text import shown_line
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.addresses import VerticalPath, existing_vertical, read_date, read_number, read_page_number
from fairground.web.page_cache import cached_page
from fairground.web.page_route import page_router
from fairground.web.rendering import Renderer
from fairground.web.site import Site

PAGE_LENGTH: Final = 24
PAGES_MAX: Final = 500  # only machines go deeper, and the database reads every earlier row for each page
TEXT_MAX_LENGTH: Final = 80
PRICE_MAX: Final = 10_000_000
FIRST_YEAR: Final = 2000
SORTS: Final = tuple(
    sort for sort in ProviderSort if sort is not ProviderSort.DISTANCE
)  # a page does not know where its reader is
RATINGS: Final = ("4.5", "4", "3")
"""The lowest ratings to choose from."""
HISTOGRAM_HEIGHT: Final = 40
HISTOGRAM_BAR: Final = 10

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def _read_text(value: str) -> str:
    return shown_line(value, most=TEXT_MAX_LENGTH)


def _read_price(value: object) -> int | None:
    return read_number(value, most=PRICE_MAX)


def _read_when(value: object) -> date | None:
    day = read_date(value)
    # The form is submitted after each digit while a year is being typed.
    return day if day and day.year >= FIRST_YEAR else None


def _read_page(value: object) -> int:
    return read_page_number(value, most=PAGES_MAX)


def _read_sort(value: str) -> ProviderSort:
    return next((sort for sort in SORTS if sort == value), ProviderSort.MOST_BOOKED)


def _read_rating(value: str) -> str:
    return value if value in RATINGS else ""


_Text = Annotated[str, BeforeValidator(_read_text)]
_Price = Annotated[int | None, BeforeValidator(_read_price)]


class ListQuery(BaseModel):
    """The parameters of a list of one vertical. A value that cannot be read counts as missing."""

    model_config = ConfigDict(frozen=True)

    category: _Text = ""
    q: _Text = ""
    location: _Text = ""
    min_price: _Price = None
    max_price: _Price = None
    min_rating: Annotated[str, BeforeValidator(_read_rating)] = ""
    when: Annotated[date | None, BeforeValidator(_read_when)] = None
    """A date on which the provider must be free."""
    sort: Annotated[ProviderSort, BeforeValidator(_read_sort)] = ProviderSort.MOST_BOOKED
    page: Annotated[int, BeforeValidator(_read_page)] = 1


class Search(ListQuery):
    vertical: _Text = ""

    @classmethod
    def read(cls, params: Mapping[str, str], *, vertical: str = "") -> Self:
        """Return the search in the parameters of an address."""
        return cls.model_validate({**params, "vertical": vertical or params.get("vertical", "")})

    @property
    def path(self) -> str:
        return f"/c/{self.vertical}" if self.vertical else "/s"

    @property
    def is_narrowed(self) -> bool:
        has_price = self.min_price is not None or self.max_price is not None
        return bool(self.category or self.q or self.location or self.min_rating or self.when or has_price)

    def url(self, **changes: Any) -> str:
        """Return the address of this search with some parameters changed; its first page unless `page` is given."""
        changed = self.model_copy(update={"page": 1, **changes})
        values = {
            "category": changed.category,
            "q": changed.q,
            "location": changed.location,
            "min_price": changed.min_price,
            "max_price": changed.max_price,
            "min_rating": changed.min_rating,
            "when": changed.when,
            "sort": "" if changed.sort is ProviderSort.MOST_BOOKED else changed.sort.value,
            "page": "" if changed.page == 1 else changed.page,
        }
        query = urlencode({name: value for name, value in values.items() if value not in ("", None)})
        return changed.path + (f"?{query}" if query else "")

    @property
    def map_url(self) -> str:
        """The address of the part that shows this page of results on a map."""
        path, mark, query = self.page_url(self.page).partition("?")
        return f"/_f{path}/map{mark}{query}"

    def provider_url(self, slug: str) -> str:
        """Return the address of a provider's page, opened at the date of the search."""
        return f"/p/{slug}?date={self.when}" if self.when else f"/p/{slug}"

    def page_url(self, page: int) -> str:
        return self.url(page=page)

    def list_query(self, *, with_prices: bool = False) -> ProviderQuery:
        """Return the query for a list, which is sorted and has no search words.

        Args:
            with_prices: Adds the price distribution, which costs a statement of its own.
        """
        return ProviderQuery(**self._filters(), sort=self.sort, include_price_distribution=with_prices)

    def search_query(self) -> SearchQuery:
        """Return the query of the search by words, whose best match comes first, whatever the sort."""
        return SearchQuery(**self._filters(), q=self.q)

    def _filters(self) -> dict[str, Any]:
        return {
            "vertical": self.vertical or None,
            "category": self.category or None,
            "location": self.location or None,
            "min_price": self.min_price,
            "max_price": self.max_price,
            "min_rating": float(self.min_rating) if self.min_rating else None,
            "when": self.when,
            "page": self.page,
            "limit": PAGE_LENGTH,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPages:
    renderer: Renderer
    discovery: Discovery
    verticals: Verticals

    def read(self, request: Request, *, vertical: str = "") -> Search:
        search = Search.read(request.query_params, vertical=vertical)
        if search.vertical:
            existing_vertical(self.verticals, search.vertical)
        return search

    def is_unknown(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether the parameters name a category that does not exist."""
        category = parameters["category"]
        return bool(category) and not self.verticals.has_category(category, vertical=parameters["vertical"] or None)

    async def show(self, request: Request, search: Search) -> HTMLResponse:
        return self.renderer.page(request, "listing/page.html", **await self._find(search, with_prices=True))

    async def show_results(self, search: Search) -> HTMLResponse:
        headers = {"HX-Push-Url": search.page_url(search.page)}
        return self.renderer.part("listing/_results.html", headers=headers, **await self._find(search))

    async def show_map(self, search: Search) -> HTMLResponse:
        cards = (await self._find(search))["cards"]
        places = await self.discovery.find_places(provider_ids=[card.id for card in cards])
        return self.renderer.part("listing/_map.html", search=search, cards=cards, places=places)

    async def _find(self, search: Search, *, with_prices: bool = False) -> dict[str, Any]:
        if search.q:
            found = await _search(self.discovery, search)
        else:
            found = await _list(self.discovery, search, with_prices=with_prices)
        currency = next((card.currency for card in found["cards"] if card.currency), "")
        pack = self.verticals.find(search.vertical)
        return {"search": search, "pack": pack, "currency": currency, "sorts": SORTS, "ratings": RATINGS, **found}


def routes(site: Site, links: Links) -> APIRouter:
    pages = SearchPages(renderer=site.renderer, discovery=links.of(Discovery), verticals=site.verticals)
    router = page_router(pages.renderer)
    _add_lists(router, pages)
    _add_search(router, pages)
    return router


def _add_lists(router: APIRouter, pages: SearchPages) -> None:
    """Add the list of one vertical: the page, and the parts with its results and their map."""

    def cached(name: str) -> Callable[[_Endpoint], _Endpoint]:
        edition, is_unknown = pages.renderer.edition, pages.is_unknown
        return cached_page(name, edition=edition, tags=_tags, path=VerticalPath, query=ListQuery, is_unknown=is_unknown)

    @router.get("/c/{vertical}")
    @cached("list")
    async def show_vertical(request: Request, vertical: str) -> HTMLResponse:
        return await pages.show(request, pages.read(request, vertical=vertical))

    @router.get("/_f/c/{vertical}")
    @cached("list-part")
    async def show_vertical_results(request: Request, vertical: str) -> HTMLResponse:
        return await pages.show_results(pages.read(request, vertical=vertical))

    @router.get("/_f/c/{vertical}/map")
    @cached("list-map")
    async def show_vertical_map(request: Request, vertical: str) -> HTMLResponse:
        return await pages.show_map(pages.read(request, vertical=vertical))


def _add_search(router: APIRouter, pages: SearchPages) -> None:
    """Add the search in all verticals: the page, and the parts with its results and their map."""

    def cached(name: str) -> Callable[[_Endpoint], _Endpoint]:
        edition, is_unknown = pages.renderer.edition, pages.is_unknown
        return cached_page(name, edition=edition, tags=_tags, query=Search, is_unknown=is_unknown)

    @router.get("/s")
    @cached("search")
    async def show_search(request: Request) -> HTMLResponse:
        return await pages.show(request, pages.read(request))

    @router.get("/_f/s")
    @cached("search-part")
    async def show_search_results(request: Request) -> HTMLResponse:
        return await pages.show_results(pages.read(request))

    @router.get("/_f/s/map")
    @cached("search-map")
    async def show_search_map(request: Request) -> HTMLResponse:
        return await pages.show_map(pages.read(request))


def _tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ALL_PROVIDERS, list_tag(parameters["vertical"] or None), *free_tags(parameters["when"])


async def _list(discovery: Discovery, search: Search, *, with_prices: bool) -> dict[str, Any]:
    found = await discovery.search_providers(query=search.list_query(with_prices=with_prices))
    # When the total is only a lower bound, the cursor shows whether another page follows.
    last_known = search.page + (found.next_cursor is not None) if found.total_is_lower_bound else 0
    return {
        "cards": found.data,
        "total": found.total,
        "is_more": found.total_is_lower_bound,
        "pages": min(max(ceil(found.total / PAGE_LENGTH), last_known), PAGES_MAX),
        "bars": price_bars(found.price_distribution, search=search),
    }


async def _search(discovery: Discovery, search: Search) -> dict[str, Any]:
    found = await discovery.search(query=search.search_query())
    return {
        "cards": found.data,
        "total": found.total,
        "is_more": found.total_is_lower_bound,
        "pages": ceil(found.total / PAGE_LENGTH),
        "bars": price_bars(found.facets.prices, search=search),
        "facets": found.facets,
        "corrections": found.corrections,
    }


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the price histogram, in units of the drawing."""

    x: int
    y: float
    height: float
    is_wanted: bool


def price_bars(bands: list[PriceBand], *, search: Search) -> list[Bar]:
    """Return the histogram of the bands; the tallest bar fills the height."""
    tallest = max((band.count for band in bands), default=0)
    bars = []
    for place, band in enumerate(bands):
        height = HISTOGRAM_HEIGHT * band.count / tallest if tallest else 0.0
        bars.append(
            Bar(
                x=place * HISTOGRAM_BAR,
                y=round(HISTOGRAM_HEIGHT - height, 1),
                height=round(height, 1),
                is_wanted=_is_within_prices(band, search),
            )
        )
    return bars


def _is_within_prices(band: PriceBand, search: Search) -> bool:
    reaches_up = search.min_price is None or band.max_price is None or band.max_price > search.min_price
    reaches_down = search.max_price is None or band.min_price <= search.max_price
    return reaches_up and reaches_down
