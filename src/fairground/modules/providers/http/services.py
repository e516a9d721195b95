"""Services of a provider."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    BookingMode,
    Providers,
    Service,
    ServiceIn,
    ServiceNotFound,
)
from fairground.kernel.inputs import Input, text_field
from fairground.platform.http.identity import SignedIn, Visitor
from fairground.platform.http.routing import api_router


class NewServiceIn(Input):
    name: Annotated[str, Field(min_length=1), text_field(most=NAME_MAX_LENGTH)]
    category: str
    price_minor: int = Field(ge=1, le=PRICE_MAX_MINOR, strict=True, description="In the minor unit of the currency.")
    currency: str = Field(description="The installation's one, which GET /verticals names.")
    duration_minutes: int = Field(ge=DURATION_MIN_MINUTES, le=DURATION_MAX_MINUTES)
    booking_mode: BookingMode
    description: str | None = text_field(None, most=SERVICE_DESCRIPTION_MAX_LENGTH)


class ServiceListOut(BaseModel):
    data: list[Service]
    total: int


def routes(catalog: Providers) -> APIRouter:
    router = api_router(tags=["services"])

    @router.get("/service-provider-profiles/{provider_id}/services")
    async def list_services(visitor: Visitor, provider_id: UUID) -> ServiceListOut:
        viewer_id = visitor.user_id if visitor else None
        data = await catalog.list_services(provider_id=provider_id, viewer_id=viewer_id)
        return ServiceListOut(data=data, total=len(data))

    @router.post("/service-provider-profiles/{provider_id}/services", status_code=HTTPStatus.CREATED)
    async def add_service(caller: SignedIn, provider_id: UUID, body: NewServiceIn) -> Service:
        service = ServiceIn(**body.model_dump())
        return await catalog.add_service(owner_id=caller.user_id, provider_id=provider_id, service=service)

    @router.delete("/service-provider-profiles/{provider_id}/services/{service_id}", status_code=HTTPStatus.NO_CONTENT)
    async def withdraw_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> None:
        offer = await catalog.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"The provider {provider_id} has no service {service_id}.")
        await catalog.withdraw_service(owner_id=caller.user_id, service_id=service_id)

    return router
