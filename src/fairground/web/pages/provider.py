"""The page of a provider: who it is, what it offers at which price, when it is free, and what others say."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog, ProviderDetail, Service
from fairground.contracts.reviews import Reviews
from fairground.kernel.clock import Clock
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical
from fairground.web.page_route import PageNotFound, page_router
from fairground.web.policies import terms_of
from fairground.web.rendering import Renderer
from fairground.web.times import load_times, read_wish

REVIEWS_LENGTH: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPages:
    """Gathers what the page and its part show."""

    renderer: Renderer
    catalog: Catalog
    bookings: Bookings
    reviews: Reviews
    verticals: Verticals
    clock: Clock

    async def times(self, request: Request, *, slug: str) -> dict[str, Any]:
        provider = await self.catalog.get_provider(id_or_slug=slug)
        pack = self._pack(provider)
        service = _chosen_service(provider, wanted=request.query_params.get("service", ""))
        values: dict[str, Any] = {"provider": provider, "pack": pack, "service": service, "times": None, "terms": None}
        if service is None or not provider.is_claimed:
            return values
        params = request.query_params
        times = await load_times(
            self.bookings,
            provider,
            service=service,
            wish=read_wish(month=params.get("month", ""), day=params.get("date", "")),
            now=self.clock.now(),
            horizon_days=pack.booking.horizon_days,
            locale=self.renderer.locale,
        )
        if times.first:
            values["terms"] = terms_of(
                pack.cancellation,
                starts_at=times.first.starts_at,
                total_minor=service.price_minor,
                now=self.clock.now(),
            )
        return values | {"times": times}

    async def said(self, request: Request, *, provider: ProviderDetail) -> dict[str, Any]:
        wanted = request.query_params.get("reviews", "")
        page = max(1, int(wanted)) if wanted.isascii() and wanted.isdigit() else 1
        found = await self.reviews.list_provider_reviews(provider_id=provider.id, page=page, limit=REVIEWS_LENGTH)
        return {"reviews": found, "review_page": page, "review_pages": ceil(found.total / REVIEWS_LENGTH)}

    def _pack(self, provider: ProviderDetail) -> Vertical:
        pack = self.verticals.find(provider.vertical)
        if pack is None:
            raise PageNotFound(f"The area {provider.vertical!r} is closed.")
        return pack


def routes(pages: ProviderPages) -> APIRouter:
    router = page_router(pages.renderer)

    @router.get("/p/{slug}")
    async def show_provider(request: Request, slug: str) -> HTMLResponse:
        values = await pages.times(request, slug=slug)
        said = await pages.said(request, provider=values["provider"])
        return pages.renderer.page(request, "provider/page.html", **values, **said)

    @router.get("/_f/p/{slug}")
    async def show_times(request: Request, slug: str) -> HTMLResponse:
        values = await pages.times(request, slug=slug)
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"HX-Push-Url": f"/p/{slug}{query}"}
        return pages.renderer.part("provider/_times.html", headers=headers, **values)

    return router


def _chosen_service(provider: ProviderDetail, *, wanted: str) -> Service | None:
    """Return the service asked for, or else the cheapest."""
    asked = (service for service in provider.services if str(service.id) == wanted)
    cheapest = min(provider.services, key=lambda service: service.price_minor, default=None)
    return next(asked, cheapest)
