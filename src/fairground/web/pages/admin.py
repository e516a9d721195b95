"""The overview of staff: what waits for them."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.providers import Providers
from fairground.contracts.providers.claims import Claims
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import admin_pages
from fairground.web.page_route import page_router
from fairground.web.site import Site

_COUNTED_AT_MOST: Final = 100


def routes(site: Site, links: Links) -> APIRouter:
    pages, providers, claims = admin_pages(site, links), links.of(Providers), links.of(Claims)
    router = page_router(site.renderer)

    @router.get("/admin")
    async def show_overview(request: Request, caller: Staff) -> Response:
        return await pages.page(
            request,
            caller,
            "admin/overview.html",
            submitted=len(await providers.list_submitted(limit=_COUNTED_AT_MOST)),
            claimed=len(await claims.list_waiting_claims(limit=_COUNTED_AT_MOST)),
            most=_COUNTED_AT_MOST,
        )

    return router
