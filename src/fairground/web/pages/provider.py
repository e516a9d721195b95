"""The page of a provider: services, prices, availability, reviews and gallery; and a page for each gallery picture."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.responses import HTMLResponse

from fairground.contracts.booking import PARTY_SIZE_MAX, Bookings
from fairground.contracts.booking.availability import calendar_tag, hours_tag
from fairground.contracts.providers import (
    ALL_PROVIDERS,
    DURATION_MAX_MINUTES,
    Galleries,
    ProviderDetail,
    ProviderPath,
    Providers,
    Service,
    provider_tag,
)
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.contracts.reviews import Reviews, reviews_tag
from fairground.kernel.inputs import PAGED_AT_MOST
from fairground.kernel.money import find_currency
from fairground.kernel.zones import Clock
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.addresses import PageNotFound, open_vertical, read_date, read_id, read_number, read_page_number
from fairground.web.availability_calendar import PREVIEW_PATH, load_availability
from fairground.web.booking_choices import choose
from fairground.web.linked_data import describe_provider
from fairground.web.page_cache import cached_page
from fairground.web.page_route import page_router
from fairground.web.rendering import Renderer
from fairground.web.site import Site

REVIEWS_LENGTH: Final = 6
REVIEW_PAGES_MAX: Final = PAGED_AT_MOST // REVIEWS_LENGTH

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def _read_review_page(value: object) -> int:
    return read_page_number(value, most=REVIEW_PAGES_MAX)


def _read_length(value: object) -> int | None:
    return read_number(value, most=DURATION_MAX_MINUTES)


def _read_people(value: object) -> int | None:
    return read_number(value, most=PARTY_SIZE_MAX)


def _read_digits_and_dashes(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[0-9-]{1,10}", text) else ""


class ProviderPageQuery(BaseModel):
    """The parameters of the page. A value that cannot be read counts as missing."""

    model_config = ConfigDict(frozen=True)

    service: Annotated[UUID | None, BeforeValidator(read_id)] = None
    month: Annotated[str, BeforeValidator(_read_digits_and_dashes)] = ""
    date: Annotated[str, BeforeValidator(_read_digits_and_dashes)] = ""
    reviews: Annotated[int, BeforeValidator(_read_review_page)] = 1
    """The page of reviews."""
    duration_minutes: Annotated[int | None, BeforeValidator(_read_length)] = None
    """Of a service by the hour."""
    party_size: Annotated[int | None, BeforeValidator(_read_people)] = None
    """Where the price is per person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPages:
    """Loads the values that the pages and their parts show."""

    renderer: Renderer
    providers: Providers
    galleries: Galleries
    bookings: Bookings
    reviews: Reviews
    verticals: Verticals
    clock: Clock
    public_url: str

    async def load_availability(self, query: ProviderPageQuery, *, id_or_slug: str) -> dict[str, Any]:
        return await self.availability_of(await self.providers.get_provider(id_or_slug=id_or_slug), query)

    async def availability_of(
        self, provider: ProviderDetail, query: ProviderPageQuery, *, owner_id: UUID | None = None
    ) -> dict[str, Any]:
        """Return the values for a provider; `owner_id` is the owner who previews the page."""
        pack = open_vertical(self.verticals, provider.vertical)
        service = _choose_service(provider, query)
        values: dict[str, Any] = {"provider": provider, "pack": pack, "service": service, "times": None, "terms": None}
        values["page_path"] = PREVIEW_PATH if owner_id else f"/p/{provider.slug}"
        if service is None or not provider.is_claimed:
            return values
        choice = choose(service, pack, minutes=query.duration_minutes, people=query.party_size)
        times = await load_availability(
            self.bookings,
            provider,
            choice=choice,
            month=read_date(f"{query.month}-01"),
            day=read_date(query.date),
            now=self.clock.now(),
            horizon_days=pack.booking.horizon_days,
            locale=self.renderer.locale,
            owner_id=owner_id,
        )
        if times.first:
            values["terms"] = pack.cancellation.terms(
                choice.total_minor,
                step_minor=find_currency(service.currency).step_minor,
                starts_at=times.first.starts_at,
                now=self.clock.now(),
            )
            values["grace_minutes"] = pack.cancellation.grace_minutes_ahead(
                starts_at=times.first.starts_at, now=self.clock.now()
            )
        return values | {"times": times, "choice": choice}

    async def load_reviews(self, query: ProviderPageQuery, *, provider: ProviderDetail) -> dict[str, Any]:
        page = query.reviews
        found = await self.reviews.list_provider_reviews(provider_id=provider.id, page=page, limit=REVIEWS_LENGTH)
        return {"reviews": found, "review_page": page, "review_pages": ceil(found.total / REVIEWS_LENGTH)}

    async def load_picture(self, picture_id: UUID, *, id_or_slug: str) -> dict[str, Any]:
        """Return a picture of the gallery with its neighbours. The last one is followed by the first."""
        provider = await self.providers.get_provider(id_or_slug=id_or_slug)
        pictures = await self.galleries.list_gallery(id_or_slug=id_or_slug)
        at = next((at for at, picture in enumerate(pictures) if picture.id == picture_id), None)
        if at is None:
            raise PageNotFound(f"{provider.business_name} does not show this picture (any more).")
        return {
            "provider": provider,
            "shown": pictures[at],
            "number": at + 1,
            "count": len(pictures),
            "previous": pictures[at - 1],
            "following": pictures[(at + 1) % len(pictures)],
        }


class PicturePath(ProviderPath):
    picture_id: UUID


def build_provider_pages(site: Site, links: Links) -> ProviderPages:
    return ProviderPages(
        renderer=site.renderer,
        providers=links.of(Providers),
        galleries=links.of(Galleries),
        bookings=links.of(Bookings),
        reviews=links.of(Reviews),
        verticals=site.verticals,
        clock=site.clock,
        public_url=site.public_url,
    )


def routes(site: Site, links: Links) -> APIRouter:
    pages = build_provider_pages(site, links)
    router = page_router(pages.renderer)
    _add_provider(router, pages)
    _add_gallery(router, pages)
    return router


def _add_provider(router: APIRouter, pages: ProviderPages) -> None:
    def cached(name: str) -> Callable[[_Endpoint], _Endpoint]:
        edition = pages.renderer.edition
        return cached_page(name, edition=edition, tags=_tags, path=ProviderPath, query=ProviderPageQuery)

    @router.get("/p/{id_or_slug}")
    @cached("provider")
    async def show_provider(request: Request, id_or_slug: str) -> HTMLResponse:
        query = ProviderPageQuery.model_validate(dict(request.query_params))
        values = await pages.load_availability(query, id_or_slug=id_or_slug)
        reviews = await pages.load_reviews(query, provider=values["provider"])
        gallery = await pages.galleries.list_gallery(id_or_slug=id_or_slug)
        linked_data = describe_provider(values["provider"], public_url=pages.public_url)
        return pages.renderer.page(
            request, "provider/page.html", gallery=gallery, linked_data=linked_data, **values, **reviews
        )

    @router.get("/_f/p/{id_or_slug}")
    @cached("times")
    async def show_times(request: Request, id_or_slug: str) -> HTMLResponse:
        query = ProviderPageQuery.model_validate(dict(request.query_params))
        values = await pages.load_availability(query, id_or_slug=id_or_slug)
        suffix = f"?{request.url.query}" if request.url.query else ""
        headers = {"HX-Push-Url": f"/p/{id_or_slug}{suffix}"}
        return pages.renderer.part("provider/_times.html", headers=headers, **values)


def _add_gallery(router: APIRouter, pages: ProviderPages) -> None:
    """Add each picture of the gallery: as a page, and as a part that opens above the page of the provider."""

    def cached(name: str) -> Callable[[_Endpoint], _Endpoint]:
        return cached_page(name, edition=pages.renderer.edition, tags=_picture_tags, path=PicturePath)

    @router.get("/p/{id_or_slug}/pictures/{picture_id}")
    @cached("picture")
    async def show_picture(request: Request, id_or_slug: str, picture_id: UUID) -> HTMLResponse:
        values = await pages.load_picture(picture_id, id_or_slug=id_or_slug)
        return pages.renderer.page(request, "provider/picture.html", **values)

    @router.get("/_f/p/{id_or_slug}/pictures/{picture_id}")
    @cached("picture-part")
    async def show_picture_part(id_or_slug: str, picture_id: UUID) -> HTMLResponse:
        values = await pages.load_picture(picture_id, id_or_slug=id_or_slug)
        return pages.renderer.part("provider/_picture.html", **values)


def _tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    key = parameters["id_or_slug"]
    return ALL_PROVIDERS, provider_tag(key), hours_tag(key), calendar_tag(key), reviews_tag(key)


def _picture_tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ALL_PROVIDERS, provider_tag(parameters["id_or_slug"])


def _choose_service(provider: ProviderDetail, query: ProviderPageQuery) -> Service | None:
    """Return the requested service; else the cheapest, or for a date the shortest, which fits if any does."""
    requested = (service for service in provider.services if service.id == query.service)
    return next(requested, min(provider.services, key=_shortest if query.date else _cheapest, default=None))


def _shortest(service: Service) -> tuple[int, int]:
    return service.duration_minutes, compute_service_total(service)


def _cheapest(service: Service) -> int:
    return compute_service_total(service)
