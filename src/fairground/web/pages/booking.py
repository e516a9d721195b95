"""The second step of a booking: the time is chosen, its details are given, and it is held."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from fairground.contracts.booking import Bookings, HoldIn
from fairground.contracts.providers import ProviderDetail, Providers, Service, ServiceNotFound
from fairground.kernel.clock import Clock
from fairground.kernel.errors import DomainError
from fairground.kernel.money import find_currency
from fairground.platform.http.identity import SignedIn
from fairground.platform.links import Links
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical
from fairground.web.forms import Answers, Form, FormRefused, read_form
from fairground.web.page_route import PageNotFound, page_router, see_other
from fairground.web.rendering import UNSTORED, Renderer
from fairground.web.site import Site


class ChosenTime(Answers):
    """What the link on a free time carries."""

    service: UUID
    starts_at: AwareDatetime


class HoldForm(HoldIn):
    """The details as the page takes them."""

    party_size: int | None = None
    """Booking checks the bounds of the vertical, which are narrower than the API's, and names them in its message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingPages:
    renderer: Renderer
    catalog: Providers
    bookings: Bookings
    verticals: Verticals
    clock: Clock

    def pack_of(self, provider: ProviderDetail) -> Vertical:
        pack = self.verticals.find(provider.vertical)
        if pack is None:
            raise PageNotFound(f"The area {provider.vertical!r} is closed.")
        return pack

    async def show(self, request: Request, caller: SignedIn, *, slug: str, form: Form, status: int = 200) -> Response:
        """Show the details form for the time that the form's values name, or send the reader to choose one."""
        provider = await self.catalog.get_provider(id_or_slug=slug)
        try:
            chosen = form.parse(ChosenTime)
        except FormRefused:
            return see_other(f"/p/{provider.slug}#times")
        service = _service_of(provider, service_id=chosen.service)
        pack = self.pack_of(provider)
        terms = pack.cancellation.terms(
            service.price_minor,
            step_minor=find_currency(service.currency).step_minor,
            starts_at=chosen.starts_at,
            now=self.clock.now(),
        )
        return self.renderer.page(
            request,
            "booking/details.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            provider=provider,
            pack=pack,
            service=service,
            starts_at=chosen.starts_at,
            ends_at=_end(chosen.starts_at, service),
            terms=terms,
            form=replace(form, values={"place": pack.booking.places[0], **form.values}),
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = BookingPages(
        renderer=site.renderer,
        catalog=links.of(Providers),
        bookings=links.of(Bookings),
        verticals=site.verticals,
        clock=site.clock,
    )
    router = page_router(pages.renderer)

    @router.get("/book/{slug}")
    async def ask_details(request: Request, caller: SignedIn, slug: str) -> Response:
        return await pages.show(request, caller, slug=slug, form=Form(values=dict(request.query_params)))

    @router.post("/book/{slug}")
    async def hold_time(request: Request, caller: SignedIn, slug: str) -> Response:
        form = await read_form(request)
        try:
            body = replace(form, values={**form.values, "service_id": form.values.get("service", "")}).parse(HoldForm)
            held = await pages.bookings.hold(customer_id=caller.user_id, **body.model_dump())
        except DomainError as refusal:
            return await pages.show(request, caller, slug=slug, form=form.refused(refusal), status=422)
        return see_other(f"/book/h/{held.id}")

    return router


def _service_of(provider: ProviderDetail, *, service_id: UUID) -> Service:
    found = next((service for service in provider.services if service.id == service_id), None)
    if found is None:
        raise ServiceNotFound(f"{provider.business_name} does not offer this (any more).")
    return found


def _end(starts_at: datetime, service: Service) -> datetime:
    return starts_at + timedelta(minutes=service.duration_minutes)
