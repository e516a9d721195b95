"""The dashboard's pages of services: their list with a form that adds one, and the page that edits one."""

import re
from collections.abc import Mapping
from dataclasses import replace
from gettext import gettext as _
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.providers import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    PRICE_MAX_MINOR,
    TRAVEL_RADIUS_MAX_KM,
    BookingMode,
    OwnProvider,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceNotFound,
    can_serve,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.money import AmountInvalid, currency_exponent, find_currency, major_from_minor, read_amount
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Place, Vertical
from fairground.web.forms import Form, FormModel, FormRefused, read_form, read_together
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.site import Site

PATH: Final = "/pro/services"
_FIELDS: Final = {"catalog.category_unknown": "category", "price_minor": "price", "places": "places"}
_AMOUNT: Final = re.compile(r"([0-9]+)(?:([.,])([0-9]+))?")
_THOUSAND: Final = 3  # digits behind a sign that separates thousands
_Minutes = Annotated[int, Field(ge=DURATION_MIN_MINUTES, le=DURATION_MAX_MINUTES)]


class ServiceForm(FormModel):
    name: str
    category: str
    price_model: PriceModel
    price: Annotated[str, Field(max_length=40)]
    duration_minutes: _Minutes
    max_duration_minutes: Annotated[int | None, Field(ge=DURATION_MIN_MINUTES, le=DURATION_MAX_MINUTES)] = None
    min_people: Annotated[int, Field(ge=1)] = 1
    max_people: Annotated[int | None, Field(ge=1)] = None
    places: Annotated[list[Place], Field(min_length=1)]
    travel_radius_km: Annotated[int | None, Field(ge=1, le=TRAVEL_RADIUS_MAX_KM)] = None
    booking_mode: BookingMode
    description: str | None = None


class Move(FormModel):
    by: Annotated[int, Field(ge=-1, le=1)]


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = dashboard_router(dashboard)
    _add_list(router, dashboard)
    _add_service(router, dashboard)
    _add_changes(router, dashboard)
    return router


def _add_list(router: APIRouter, dashboard: Dashboard) -> None:
    @router.get(PATH)
    async def list_services(request: Request, caller: SignedIn) -> Response:
        return await _show_list(dashboard, request, caller, own=await dashboard.get_own(caller), form=Form())

    @router.post(PATH)
    async def add_service(request: Request, caller: SignedIn) -> Response:
        own, form = await dashboard.get_own(caller), await read_form(request)
        try:
            currency = await dashboard.providers.get_currency()
            service = ServiceIn(**_read_fields(form, currency=currency), currency=currency)
            added = await dashboard.providers.add_service(owner_id=caller.user_id, provider_id=own.id, service=service)
        except DomainError as refusal:
            refused = form.refused(refusal, fields=_FIELDS)
            return await _show_list(dashboard, request, caller, own=own, form=refused, status=422)
        return _to_list("added", added.id)


def _add_service(router: APIRouter, dashboard: Dashboard) -> None:
    @router.get(f"{PATH}/{{service_id}}")
    async def edit_service(request: Request, caller: SignedIn, service_id: UUID) -> Response:
        own = await dashboard.get_own(caller)
        service = _get_service(own, service_id)
        return await _show_service(dashboard, request, caller, own=own, service=service, form=_filled(service))

    @router.post(f"{PATH}/{{service_id}}")
    async def save_service(request: Request, caller: SignedIn, service_id: UUID) -> Response:
        own, form = await dashboard.get_own(caller), await read_form(request)
        service = _get_service(own, service_id)
        try:
            changes = ServiceChanges(**_read_fields(form, currency=service.currency))
            await dashboard.providers.change_service(
                owner_id=caller.user_id, provider_id=own.id, service_id=service_id, changes=changes
            )
        except DomainError as refusal:
            refused = form.refused(refusal, fields=_FIELDS)
            return await _show_service(dashboard, request, caller, own=own, service=service, form=refused, status=422)
        return _to_list("saved", service_id)


def _add_changes(router: APIRouter, dashboard: Dashboard) -> None:
    @router.post(f"{PATH}/{{service_id}}/duplicate")
    async def duplicate_service(request: Request, caller: SignedIn, service_id: UUID) -> Response:
        own = await dashboard.get_own(caller)
        try:
            copy = await dashboard.providers.duplicate_service(
                owner_id=caller.user_id, provider_id=own.id, service_id=service_id
            )
        except DomainError as refusal:
            refused = Form().refused(refusal)
            return await _show_list(dashboard, request, caller, own=own, form=refused, status=422)
        return see_other(f"{PATH}/{copy.id}")

    @router.post(f"{PATH}/{{service_id}}/pause")
    async def pause_service(caller: SignedIn, service_id: UUID) -> Response:
        own = await dashboard.get_own(caller)
        await dashboard.providers.pause_service(owner_id=caller.user_id, provider_id=own.id, service_id=service_id)
        return _to_list("paused", service_id)

    @router.post(f"{PATH}/{{service_id}}/resume")
    async def resume_service(caller: SignedIn, service_id: UUID) -> Response:
        own = await dashboard.get_own(caller)
        await dashboard.providers.resume_service(owner_id=caller.user_id, provider_id=own.id, service_id=service_id)
        return _to_list("resumed", service_id)

    @router.post(f"{PATH}/{{service_id}}/move")
    async def move_service(request: Request, caller: SignedIn, service_id: UUID) -> Response:
        own, form = await dashboard.get_own(caller), await read_form(request)
        try:
            await _move(dashboard, own, caller=caller, service_id=service_id, by=form.parse(Move).by)
        except DomainError as refusal:
            refused = Form().refused(refusal)
            return await _show_list(dashboard, request, caller, own=own, form=refused, status=422)
        return _to_list("moved", service_id)

    @router.post(f"{PATH}/{{service_id}}/withdraw")
    async def withdraw_service(caller: SignedIn, service_id: UUID) -> Response:
        await dashboard.providers.withdraw_service(owner_id=caller.user_id, service_id=service_id)
        return _to_list("removed")


async def _move(dashboard: Dashboard, own: OwnProvider, *, caller: Caller, service_id: UUID, by: int) -> None:
    """Move a service by one place, at most to the ends of the list."""
    _get_service(own, service_id)
    ids = [each.id for each in own.services]
    place = min(max(ids.index(service_id) + by, 0), len(ids) - 1)
    ids.remove(service_id)
    ids.insert(place, service_id)
    await dashboard.providers.order_services(owner_id=caller.user_id, provider_id=own.id, service_ids=ids)


def _to_list(done: str, service_id: UUID | None = None) -> Response:
    return see_other(f"{PATH}?done={done}" + (f"#service-{service_id}" if service_id else ""))


def _get_service(own: OwnProvider, service_id: UUID) -> Service:
    for service in own.services:
        if service.id == service_id:
            return service
    raise ServiceNotFound(f"There is no service {service_id}.")


def _read_fields(form: Form, *, currency: str) -> dict[str, Any]:
    """Return the fields of a service without its currency; raise FormRefused."""
    return read_together(
        lambda: form.parse(ServiceForm).model_dump(exclude={"price"}),
        lambda: {"price_minor": read_price_minor(form.values.get("price", ""), currency=currency)},
    )


def read_price_minor(text: str, *, currency: str) -> int:
    """Return a price as the provider wrote it, "12.50" or "12,50", in minor units.

    What may be a thousand and a quarter, or one and a quarter, is never guessed: "1.250" and "1,250" are refused.

    Raises:
        FormRefused: It is no amount of the currency, nothing, or more than a service may cost.
    """
    known = find_currency(currency)
    written = _AMOUNT.fullmatch(text.strip())
    if written is None:
        raise FormRefused({"price": _("Write an amount such as %(example)s.") % {"example": known.example}})
    whole, sign, decimals = written[1], written[2], written[3] or ""
    if len(decimals) == _THOUSAND and (sign == "," or known.exponent < _THOUSAND):
        sentence = _("Write it without a thousands separator, such as %(example)s.")
        raise FormRefused({"price": sentence % {"example": known.example}})
    try:
        price_minor = read_amount(f"{whole}.{decimals}" if decimals else whole, currency)
    except AmountInvalid as refusal:
        raise FormRefused({"price": f"{refusal.problem}: {refusal.hint}."}) from refusal
    if not 1 <= price_minor <= PRICE_MAX_MINOR:
        most = PRICE_MAX_MINOR // 10 ** currency_exponent(currency)
        raise FormRefused({"price": _("Write more than 0 and at most %(most)s.") % {"most": most}})
    return price_minor


def _filled(service: Service) -> Form:
    values = {name: str(value) for name in ServiceForm.model_fields if (value := getattr(service, name, None))}
    price = str(major_from_minor(service.price_minor, service.currency))
    return Form(values=values | {"price": price}, lists={"places": list(service.places)})


async def _show_list(
    dashboard: Dashboard, request: Request, caller: Caller, *, own: OwnProvider, form: Form, status: int = 200
) -> Response:
    pack = dashboard.verticals.find(own.vertical)
    services = await dashboard.providers.list_services(provider_id=own.id, viewer_id=caller.user_id)
    if pack is not None:
        lists = form.lists if form.values else _default_places(own, pack)
        form = replace(form, values=_defaults(pack) | dict(form.values), lists=lists)
    return dashboard.page(
        request,
        caller,
        "services",
        status=status,
        own=own,
        services=services,
        done=request.query_params.get("done", ""),
        form=form,
        **await _form_values(dashboard, own, pack),
    )


async def _show_service(
    dashboard: Dashboard,
    request: Request,
    caller: Caller,
    *,
    own: OwnProvider,
    service: Service,
    form: Form,
    status: int = 200,
) -> Response:
    pack = dashboard.verticals.find(own.vertical)
    values = await _form_values(dashboard, own, pack)
    return dashboard.page(
        request, caller, "service", status=status, own=own, service=service, form=form, nav_path=PATH, **values
    )


def _defaults(pack: Vertical) -> dict[str, str]:
    return {"booking_mode": pack.booking.modes[0], "price_model": pack.booking.price_models[0].value}


def _default_places(own: OwnProvider, pack: Vertical) -> dict[str, list[str]]:
    has_address, has_meeting_details = own.address is not None, own.meeting_details is not None
    servable = [
        place
        for place in pack.booking.places
        if can_serve(place, has_address=has_address, has_meeting_details=has_meeting_details)
    ]
    # The usual place first: a provider adds the others where they suit the service.
    return {"places": list(servable[:1])}


async def _form_values(dashboard: Dashboard, own: OwnProvider, pack: Vertical | None) -> Mapping[str, Any]:
    """Return what the form of a service offers."""
    currency = await dashboard.providers.get_currency()
    names = {category.slug: category.name for category in pack.categories} if pack else {}
    return {
        "pack": pack,
        "category_options": [(slug, names[slug]) for slug in own.service_categories if slug in names],
        "currency": currency,
        "price_example": find_currency(currency).example,
        "radius_max_km": TRAVEL_RADIUS_MAX_KM,
        "labels": _labels(pack) if pack else {},
    }


def _labels(pack: Vertical) -> Mapping[str, str]:
    return {
        "name": _("Name"),
        "category": pack.words.category.capitalize(),
        "price_model": _("What does the price buy?"),
        "price": _("Price"),
        "duration_minutes": _("Duration"),
        "max_duration_minutes": _("Longest booking"),
        "min_people": _("Fewest people"),
        "max_people": _("Most people"),
        "places": _("Where does it take place?"),
        "travel_radius_km": _("How far do you travel?"),
        "booking_mode": _("How do people book it?"),
        "description": _("What is included?"),
    }
