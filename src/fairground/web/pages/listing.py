"""The list of providers: of one vertical, or of all; filters in the address, numbered pages."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.discovery import Discovery, free_tags, list_tag
from fairground.contracts.providers import ALL_PROVIDERS
from fairground.platform.links import Links
from fairground.web.page_cache import cached_page
from fairground.web.page_route import VerticalPath, existing_vertical, page_router
from fairground.web.searches import PAGE_LENGTH, PAGES_MAX, RATINGS, SORTS, Search, SearchWords, price_bars
from fairground.web.site import Site


def _tags(asked: Mapping[str, Any]) -> tuple[str, ...]:
    return ALL_PROVIDERS, list_tag(asked["vertical"] or None), *free_tags(asked["when"])


def routes(site: Site, links: Links) -> APIRouter:
    renderer, discovery, verticals = site.renderer, links.of(Discovery), site.verticals
    router = page_router(renderer)

    def is_unknown(asked: Mapping[str, Any]) -> bool:
        word = asked["category"]
        return bool(word) and not verticals.has_category(word, vertical=asked["vertical"] or None)

    async def find(search: Search, *, with_prices: bool = False) -> dict[str, Any]:
        found = await (_search(discovery, search) if search.q else _list(discovery, search, with_prices=with_prices))
        currency = next((card.currency for card in found["cards"] if card.currency), "")
        pack = verticals.find(search.vertical)
        return {"search": search, "pack": pack, "currency": currency, "sorts": SORTS, "ratings": RATINGS, **found}

    def read(request: Request, *, vertical: str = "") -> Search:
        search = Search.read(request.query_params, vertical=vertical)
        if search.vertical:
            existing_vertical(verticals, search.vertical)
        return search

    @router.get("/c/{vertical}")
    @cached_page(renderer, "list", tags=_tags, path=VerticalPath, query=SearchWords, is_unknown=is_unknown)
    async def show_vertical(request: Request, vertical: str) -> HTMLResponse:
        return renderer.page(
            request, "listing/page.html", **await find(read(request, vertical=vertical), with_prices=True)
        )

    @router.get("/s")
    @cached_page(renderer, "search", tags=_tags, query=Search, is_unknown=is_unknown)
    async def show_search(request: Request) -> HTMLResponse:
        return renderer.page(request, "listing/page.html", **await find(read(request), with_prices=True))

    @router.get("/_f/c/{vertical}")
    @cached_page(renderer, "list-part", tags=_tags, path=VerticalPath, query=SearchWords, is_unknown=is_unknown)
    async def show_vertical_results(request: Request, vertical: str) -> HTMLResponse:
        return await results(read(request, vertical=vertical))

    @router.get("/_f/s")
    @cached_page(renderer, "search-part", tags=_tags, query=Search, is_unknown=is_unknown)
    async def show_search_results(request: Request) -> HTMLResponse:
        return await results(read(request))

    @router.get("/_f/c/{vertical}/map")
    @cached_page(renderer, "list-map", tags=_tags, path=VerticalPath, query=SearchWords, is_unknown=is_unknown)
    async def show_vertical_map(request: Request, vertical: str) -> HTMLResponse:
        return await pins(read(request, vertical=vertical))

    @router.get("/_f/s/map")
    @cached_page(renderer, "search-map", tags=_tags, query=Search, is_unknown=is_unknown)
    async def show_search_map(request: Request) -> HTMLResponse:
        return await pins(read(request))

    async def pins(search: Search) -> HTMLResponse:
        cards = (await find(search))["cards"]
        places = await discovery.find_places(provider_ids=[card.id for card in cards])
        return renderer.part("listing/_map.html", search=search, cards=cards, places=places)

    async def results(search: Search) -> HTMLResponse:
        headers = {"HX-Push-Url": search.page_url(search.page)}
        return renderer.part("listing/_results.html", headers=headers, **await find(search))

    return router


async def _list(discovery: Discovery, search: Search, *, with_prices: bool) -> dict[str, Any]:
    found = await discovery.search_providers(query=search.list_query(with_prices=with_prices))
    following = search.page + (found.next_cursor is not None) if found.total_is_lower_bound else 0
    return {
        "cards": found.data,
        "total": found.total,
        "is_more": found.total_is_lower_bound,
        "pages": min(max(ceil(found.total / PAGE_LENGTH), following), PAGES_MAX),
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
