"""The details of a booking: where, for how many, how long, with the total that follows, and the hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, ConfigDict
from starlette.responses import Response

from fairground.contracts.booking import PARTY_SIZE_MAX, Bookings, BookingStatus, BookingView, HoldIn
from fairground.contracts.booking.terms import list_places
from fairground.contracts.providers import DURATION_MAX_MINUTES, ProviderDetail, Providers, Service, ServiceNotFound
from fairground.kernel.addresses import Address
from fairground.kernel.errors import DomainError
from fairground.kernel.money import find_currency
from fairground.kernel.zones import Clock
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.locale_formatter import country_of
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.addresses import open_vertical, read_id, read_number
from fairground.web.booking_choices import BookingChoice, choose
from fairground.web.forms import Form, FormModel, FormRefused, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import Renderer
from fairground.web.site import Site

UPDATE: Final = "update"
"""The name of the button that computes the total and holds nothing, for browsers without script."""
_ADDRESS_FIELDS: Final = ("street", "details", "postal_code", "city", "country")


class ChosenSlot(FormModel):
    """The parameters in the link of a slot."""

    service: UUID
    starts_at: AwareDatetime


class HoldForm(HoldIn):
    """The details of a booking."""

    party_size: int | None = None
    """Booking checks the bounds of the service, which are narrower than the API's, and names them in its message."""


class AddressForm(FormModel, Address):
    """The fields of an address in a form that has others."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailsPages:
    renderer: Renderer
    providers: Providers
    bookings: Bookings
    verticals: Verticals
    clock: Clock

    async def show(self, request: Request, caller: SignedIn, *, slug: str, form: Form, status: int = 200) -> Response:
        """Show the form of details for the slot in its values, or redirect to the slots of the provider."""
        provider = await self.providers.get_provider(id_or_slug=slug)
        try:
            chosen = form.parse(ChosenSlot)
        except FormRefused:
            return see_other(f"/p/{provider.slug}#times")
        held = await self._find_hold(caller, form)
        summary = self._summarise(provider, chosen, values=form.values)
        values = {**_presets(summary, zone=provider.timezone), **_values_of(held), **form.values}
        return self.renderer.page(
            request,
            "booking/details.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            form=replace(form, values=values),
            held=held,
            **summary,
        )

    async def show_summary(self, *, slug: str, form: Form) -> Response:
        """Show what is booked, with the total of the values, as a part of the page."""
        provider = await self.providers.get_provider(id_or_slug=slug)
        summary = self._summarise(provider, form.parse(ChosenSlot), values=form.values)
        return self.renderer.part("booking/_summary.html", headers=UNSTORED, **summary)

    async def _find_hold(self, caller: Caller, form: Form) -> BookingView | None:
        """Return the hold whose details are to be changed, while there is one."""
        booking_id = read_id(form.values.get("hold"))
        if booking_id is None:
            return None
        booking = await self.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)
        return booking if booking.status is BookingStatus.HELD else None

    def _summarise(self, provider: ProviderDetail, chosen: ChosenSlot, *, values: Mapping[str, str]) -> dict[str, Any]:
        service = _service_of(provider, service_id=chosen.service)
        pack = open_vertical(self.verticals, provider.vertical)
        choice = choose(
            service,
            pack,
            minutes=read_number(values.get("duration_minutes"), most=DURATION_MAX_MINUTES),
            people=read_number(values.get("party_size"), most=PARTY_SIZE_MAX),
        )
        now = self.clock.now()
        terms = pack.cancellation.terms(
            choice.total_minor,
            step_minor=find_currency(service.currency).step_minor,
            starts_at=chosen.starts_at,
            now=now,
        )
        return {
            "provider": provider,
            "pack": pack,
            "service": service,
            "choice": choice,
            "starts_at": chosen.starts_at,
            "ends_at": chosen.starts_at + timedelta(minutes=choice.minutes),
            "places": list_places(service, pack.booking),
            "terms": terms,
            "grace_minutes": pack.cancellation.grace_minutes_ahead(starts_at=chosen.starts_at, now=now),
        }


def routes(site: Site, links: Links) -> APIRouter:
    pages = DetailsPages(
        renderer=site.renderer,
        providers=links.of(Providers),
        bookings=links.of(Bookings),
        verticals=site.verticals,
        clock=site.clock,
    )
    router = page_router(pages.renderer)
    _add_details(router, pages)
    return router


def _add_details(router: APIRouter, pages: DetailsPages) -> None:
    @router.get("/book/{slug}")
    async def show_details(request: Request, caller: SignedIn, slug: str) -> Response:
        return await pages.show(request, caller, slug=slug, form=Form(values=dict(request.query_params)))

    @router.get("/_f/book/{slug}")
    async def show_summary(request: Request, caller: SignedIn, slug: str) -> Response:  # noqa: ARG001 - not public
        return await pages.show_summary(slug=slug, form=Form(values=dict(request.query_params)))

    @router.post("/book/{slug}")
    async def hold_slot(request: Request, caller: SignedIn, slug: str) -> Response:
        form = await read_form(request)
        if UPDATE in form.values:
            return await pages.show(request, caller, slug=slug, form=form)
        try:
            held = await pages.bookings.hold(customer_id=caller.user_id, **_read_details(form))
        except DomainError as refusal:
            return await pages.show(request, caller, slug=slug, form=form.refused(refusal), status=422)
        return see_other(f"/book/h/{held.id}")


def _read_details(form: Form) -> dict[str, Any]:
    """Return the arguments of a hold.

    Raises:
        FormRefused: Fields are missing or wrong; those of the address count where it takes place there.
    """
    errors: dict[str, Any] = {}
    details: dict[str, Any] = {}
    try:
        values = {**form.values, "service_id": form.values.get("service", "")}
        details = dict(replace(form, values=values).parse(HoldForm))
    except FormRefused as refused:
        errors |= refused.errors
    if form.values.get("place") == "customer":
        try:
            details["address"] = Address(**form.parse(AddressForm).model_dump())
        except FormRefused as refused:
            errors |= refused.errors
    if errors:
        raise FormRefused(errors)
    return details


def _presets(summary: Mapping[str, Any], *, zone: str) -> dict[str, str]:
    choice: BookingChoice = summary["choice"]
    return {
        "place": next(iter(summary["places"]), ""),
        "country": country_of(zone),
        "duration_minutes": str(choice.minutes),
        "party_size": str(choice.people or ""),
    }


def _values_of(held: BookingView | None) -> dict[str, str]:
    """Return the details of a hold as the values of the form."""
    if held is None:
        return {}
    values: dict[str, Any] = {"place": held.place, "note": held.note, "phone": held.phone}
    if held.address is not None:
        values |= {name: getattr(held.address, name) for name in _ADDRESS_FIELDS}
    return {name: str(value) for name, value in values.items() if value is not None}


def _service_of(provider: ProviderDetail, *, service_id: UUID) -> Service:
    found = next((service for service in provider.services if service.id == service_id), None)
    if found is None:
        raise ServiceNotFound(f"{provider.business_name} does not offer this (any more).")
    return found
