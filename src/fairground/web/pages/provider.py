"""The page of a provider: who it is, what it offers at which price, when it is free, and what others say."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.responses import HTMLResponse

from fairground.contracts.booking import Bookings
from fairground.contracts.booking.availability import calendar_tag, hours_tag
from fairground.contracts.providers import (
    ALL_PROVIDERS,
    Galleries,
    ProviderDetail,
    ProviderPath,
    Providers,
    Service,
    provider_tag,
)
from fairground.contracts.reviews import Reviews, reviews_tag
from fairground.kernel.clock import Clock
from fairground.kernel.money import find_currency
from fairground.kernel.paging import PAGED_AT_MOST
from fairground.platform.links import Links
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical
from fairground.web.addresses import read_number
from fairground.web.page_cache import cached_page
from fairground.web.page_route import PageNotFound, page_router
from fairground.web.rendering import Renderer
from fairground.web.site import Site
from fairground.web.times import load_times, read_wish

REVIEWS_LENGTH: Final = 6
REVIEW_PAGES_MAX: Final = PAGED_AT_MOST // REVIEWS_LENGTH

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def _read_id(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _read_page(value: object) -> int:
    return read_number(value, most=REVIEW_PAGES_MAX) or 1


def _digits_and_dashes(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[0-9-]{1,10}", text) else ""


class WantedTimes(BaseModel):
    """What the address asks to be shown. What cannot be understood counts as not said."""

    model_config = ConfigDict(frozen=True)

    service: Annotated[UUID | None, BeforeValidator(_read_id)] = None
    month: Annotated[str, BeforeValidator(_digits_and_dashes)] = ""
    date: Annotated[str, BeforeValidator(_digits_and_dashes)] = ""
    reviews: Annotated[int, BeforeValidator(_read_page)] = 1
    """The page of reviews."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPages:
    """Gathers what the page and its part show."""

    renderer: Renderer
    catalog: Providers
    galleries: Galleries
    bookings: Bookings
    reviews: Reviews
    verticals: Verticals
    clock: Clock

    async def times(self, wanted: WantedTimes, *, id_or_slug: str) -> dict[str, Any]:
        provider = await self.catalog.get_provider(id_or_slug=id_or_slug)
        pack = self._pack(provider)
        service = _chosen_service(provider, wanted)
        values: dict[str, Any] = {"provider": provider, "pack": pack, "service": service, "times": None, "terms": None}
        if service is None or not provider.is_claimed:
            return values
        times = await load_times(
            self.bookings,
            provider,
            service=service,
            wish=read_wish(month=wanted.month, day=wanted.date),
            now=self.clock.now(),
            horizon_days=pack.booking.horizon_days,
            locale=self.renderer.locale,
        )
        if times.first:
            values["terms"] = pack.cancellation.terms(
                service.price_minor,
                step_minor=find_currency(service.currency).step_minor,
                starts_at=times.first.starts_at,
                now=self.clock.now(),
            )
        return values | {"times": times}

    async def said(self, wanted: WantedTimes, *, provider: ProviderDetail) -> dict[str, Any]:
        page = wanted.reviews
        found = await self.reviews.list_provider_reviews(provider_id=provider.id, page=page, limit=REVIEWS_LENGTH)
        return {"reviews": found, "review_page": page, "review_pages": ceil(found.total / REVIEWS_LENGTH)}

    def _pack(self, provider: ProviderDetail) -> Vertical:
        pack = self.verticals.find(provider.vertical)
        if pack is None:
            raise PageNotFound(f"The area {provider.vertical!r} is closed.")
        return pack


def routes(site: Site, links: Links) -> APIRouter:
    pages = ProviderPages(
        renderer=site.renderer,
        catalog=links.of(Providers),
        galleries=links.of(Galleries),
        bookings=links.of(Bookings),
        reviews=links.of(Reviews),
        verticals=site.verticals,
        clock=site.clock,
    )
    router = page_router(pages.renderer)

    def cached(name: str) -> Callable[[_Endpoint], _Endpoint]:
        return cached_page(pages.renderer, name, tags=_tags, path=ProviderPath, query=WantedTimes)

    @router.get("/p/{id_or_slug}")
    @cached("provider")
    async def show_provider(request: Request, id_or_slug: str) -> HTMLResponse:
        wanted = WantedTimes.model_validate(dict(request.query_params))
        values = await pages.times(wanted, id_or_slug=id_or_slug)
        said = await pages.said(wanted, provider=values["provider"])
        gallery = await pages.galleries.list_gallery(id_or_slug=id_or_slug)
        return pages.renderer.page(request, "provider/page.html", gallery=gallery, **values, **said)

    @router.get("/_f/p/{id_or_slug}")
    @cached("times")
    async def show_times(request: Request, id_or_slug: str) -> HTMLResponse:
        values = await pages.times(WantedTimes.model_validate(dict(request.query_params)), id_or_slug=id_or_slug)
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"HX-Push-Url": f"/p/{id_or_slug}{query}"}
        return pages.renderer.part("provider/_times.html", headers=headers, **values)

    return router


def _tags(asked: Mapping[str, Any]) -> tuple[str, ...]:
    key = asked["id_or_slug"]
    return ALL_PROVIDERS, provider_tag(key), hours_tag(key), calendar_tag(key), reviews_tag(key)


def _chosen_service(provider: ProviderDetail, wanted: WantedTimes) -> Service | None:
    """Return the service asked for; or else the cheapest, or for a date the shortest, which fits if any does."""
    asked = (service for service in provider.services if service.id == wanted.service)
    return next(asked, min(provider.services, key=_shortest if wanted.date else _cheapest, default=None))


def _shortest(service: Service) -> tuple[int, int]:
    return service.duration_minutes, service.price_minor


def _cheapest(service: Service) -> int:
    return service.price_minor
