"""The dashboard's page of services: their list, a form that adds one, and withdrawal."""

from dataclasses import replace
from gettext import gettext as _
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.providers import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    PRICE_MAX_MINOR,
    BookingMode,
    OwnProvider,
    ServiceIn,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.money import AmountInvalid, currency_exponent, find_currency, read_amount
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.forms import Form, FormModel, FormRefused, read_form
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.site import Site


class ServiceForm(FormModel):
    name: str
    category: str
    price: Annotated[str, Field(max_length=40)]
    duration_minutes: Annotated[int, Field(ge=DURATION_MIN_MINUTES, le=DURATION_MAX_MINUTES)]
    booking_mode: BookingMode
    description: str | None = None


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = dashboard_router(dashboard)

    @router.get("/pro/services")
    async def list_services(request: Request, caller: SignedIn) -> Response:
        return await _show(dashboard, request, caller, own=await dashboard.get_own(caller), form=Form())

    @router.post("/pro/services")
    async def add_service(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        form = await read_form(request)
        try:
            service = _service(form.parse(ServiceForm), currency=await dashboard.providers.get_currency())
            await dashboard.providers.add_service(owner_id=caller.user_id, provider_id=own.id, service=service)
        except DomainError as refusal:
            refused = form.refused(refusal, fields={"catalog.category_unknown": "category"})
            return await _show(dashboard, request, caller, own=own, form=refused, status=422)
        return see_other("/pro/services")

    @router.post("/pro/services/{service_id}/withdraw")
    async def withdraw_service(caller: SignedIn, service_id: UUID) -> Response:
        await dashboard.providers.withdraw_service(owner_id=caller.user_id, service_id=service_id)
        return see_other("/pro/services")

    return router


def _service(form: ServiceForm, *, currency: str) -> ServiceIn:
    values = form.model_dump(exclude={"price"})
    return ServiceIn(**values, currency=currency, price_minor=_price_minor(form.price, currency=currency))


def _price_minor(text: str, *, currency: str) -> int:
    """Return a price as the provider wrote it, in minor units.

    Raises:
        FormRefused: It is no amount of the currency, nothing, or more than a service may cost.
    """
    try:
        price_minor = read_amount(text, currency)
    except AmountInvalid as refusal:
        raise FormRefused({"price": f"{refusal.problem}: {refusal.hint}."}) from refusal
    if not 1 <= price_minor <= PRICE_MAX_MINOR:
        most = PRICE_MAX_MINOR // 10 ** currency_exponent(currency)
        raise FormRefused({"price": _("Write more than 0 and at most %(most)s.") % {"most": most}})
    return price_minor


async def _show(
    dashboard: Dashboard, request: Request, caller: Caller, *, own: OwnProvider, form: Form, status: int = 200
) -> Response:
    pack = dashboard.verticals.find(own.vertical)
    services = await dashboard.providers.list_services(provider_id=own.id, viewer_id=caller.user_id)
    currency = await dashboard.providers.get_currency()
    return dashboard.page(
        request,
        caller,
        "services",
        status=status,
        own=own,
        pack=pack,
        category_options=[(each.slug, each.name) for each in pack.categories] if pack else [],
        services=services,
        currency=currency,
        price_example=find_currency(currency).example,
        form=replace(form, values={"booking_mode": pack.booking.modes[0] if pack else "", **form.values}),
    )
