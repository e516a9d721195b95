"""The first page: what this is for, a search, and a row of providers for each vertical."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.catalog import Catalog, ProviderQuery
from fairground.contracts.catalog.tags import ALL_PROVIDERS, list_tag
from fairground.verticals.loader import Verticals
from fairground.web.page_cache import cached_page
from fairground.web.page_route import page_router
from fairground.web.rendering import Renderer

ROW_LENGTH: Final = 10


def routes(renderer: Renderer, *, catalog: Catalog, verticals: Verticals) -> APIRouter:
    router = page_router(renderer)

    def tags(_asked: Mapping[str, Any]) -> tuple[str, ...]:
        return ALL_PROVIDERS, *(list_tag(pack.key) for pack in verticals)

    @router.get("/")
    @cached_page(renderer, "home", tags=tags)
    async def show_home(request: Request) -> HTMLResponse:
        lists = [
            (pack, await catalog.search_providers(query=ProviderQuery(vertical=pack.key, limit=ROW_LENGTH)))
            for pack in verticals
        ]
        return renderer.page(request, "home/page.html", rows=[(pack, found.data, found.total) for pack, found in lists])

    return router
