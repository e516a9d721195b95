"""The home page: an introduction, a search form, and a row of providers for each vertical."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.discovery import Discovery, ProviderQuery, list_tag
from fairground.contracts.providers import ALL_PROVIDERS
from fairground.platform.module import Links
from fairground.verticals.schema import Vertical
from fairground.web.addresses import VerticalPath, existing_vertical
from fairground.web.page_cache import cached_page
from fairground.web.page_route import page_router
from fairground.web.site import Site

ROW_LENGTH: Final = 10


def routes(site: Site, links: Links) -> APIRouter:
    renderer, discovery, verticals = site.renderer, links.of(Discovery), site.verticals
    router = page_router(renderer)
    first = verticals.packs[0]

    async def load_row(pack: Vertical) -> dict[str, Any]:
        found = await discovery.search_providers(query=ProviderQuery(vertical=pack.key, limit=ROW_LENGTH))
        return {"pack": pack, "cards": found.data, "total": found.total, "is_first": pack is first}

    def tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
        return ALL_PROVIDERS, list_tag(parameters.get("vertical", first.key))

    @router.get("/")
    @cached_page("home", edition=renderer.edition, tags=tags)
    async def show_home(request: Request) -> HTMLResponse:
        return renderer.page(request, "home/page.html", **await load_row(first))

    @router.get("/_f/row/{vertical}")
    @cached_page("row", edition=renderer.edition, tags=tags, path=VerticalPath)
    async def show_row(vertical: str) -> HTMLResponse:
        """Answer a row below the first one. A browser loads it when the reader scrolls near it."""
        return renderer.part("home/_row.html", **await load_row(existing_vertical(verticals, vertical)))

    return router
