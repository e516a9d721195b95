"""What the provider offers: the list, a form for one more, and taking one out."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.catalog import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    BookingMode,
    OwnProvider,
    ServiceIn,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.money import minor_from_major
from fairground.platform.http.identity import Caller, SignedIn
from fairground.web.forms import Answers, Form, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.pages.desk import Desk

PRICE_MAX = 1_000_000


class Offered(Answers):
    name: str
    category: str
    price: Annotated[Decimal, Field(ge=0, le=PRICE_MAX)]
    duration_minutes: Annotated[int, Field(ge=DURATION_MIN_MINUTES, le=DURATION_MAX_MINUTES)]
    booking_mode: BookingMode
    description: str | None = None


def routes(desk: Desk) -> APIRouter:
    router = page_router(desk.renderer)

    @router.get("/pro/services")
    async def list_services(request: Request, caller: SignedIn) -> Response:
        return await _show(desk, request, caller, own=await desk.get_own(caller), form=Form())

    @router.post("/pro/services")
    async def add_service(request: Request, caller: SignedIn) -> Response:
        own = await desk.get_own(caller)
        form = await read_form(request)
        try:
            service = _service(form.parse(Offered), currency=await desk.catalog.get_currency())
            await desk.catalog.add_service(owner_id=caller.user_id, provider_id=own.id, service=service)
        except DomainError as refusal:
            refused = form.refused(refusal, fields={"catalog.category_unknown": "category"})
            return await _show(desk, request, caller, own=own, form=refused, status=422)
        return see_other("/pro/services")

    @router.post("/pro/services/{service_id}/withdraw")
    async def withdraw_service(caller: SignedIn, service_id: UUID) -> Response:
        await desk.catalog.withdraw_service(owner_id=caller.user_id, service_id=service_id)
        return see_other("/pro/services")

    return router


def _service(offered: Offered, *, currency: str) -> ServiceIn:
    values = offered.model_dump(exclude={"price"})
    return ServiceIn(**values, currency=currency, price_minor=minor_from_major(offered.price, currency))


async def _show(
    desk: Desk, request: Request, caller: Caller, *, own: OwnProvider, form: Form, status: int = 200
) -> Response:
    pack = desk.verticals.find(own.vertical)
    services = await desk.catalog.list_services(provider_id=own.id, viewer_id=caller.user_id)
    currency = await desk.catalog.get_currency()
    return desk.page(
        request,
        caller,
        "services",
        status=status,
        own=own,
        pack=pack,
        category_options=[(each.slug, each.name) for each in pack.categories] if pack else [],
        services=services,
        currency=currency,
        form=replace(form, values={"booking_mode": pack.booking.modes[0] if pack else "", **form.values}),
    )
