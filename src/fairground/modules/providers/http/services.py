"""Services: the routes of the public and of owners."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    SERVICES_MAX,
    TRAVEL_RADIUS_MAX_KM,
    BookingMode,
    CategoryUnknown,
    CurrencyUnsupported,
    ProviderNotFound,
    Providers,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceInvalid,
    ServiceListChanged,
    ServiceNotFound,
)
from fairground.kernel.inputs import Input, text_field
from fairground.platform.http.identity import SignedIn, Visitor
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Place

_Name = Annotated[str, Field(min_length=1), text_field(most=NAME_MAX_LENGTH)]
_Model = Annotated[PriceModel, Field(description="What the price buys; `GET /verticals` lists the vertical's models.")]
_Price = Annotated[
    int, Field(ge=1, le=PRICE_MAX_MINOR, description="Of one booking, person or hour, in the currency's minor unit.")
]
_Shortest = Annotated[
    int,
    Field(
        ge=DURATION_MIN_MINUTES,
        le=DURATION_MAX_MINUTES,
        description="At least the vertical's `slot_minutes`. With a price by the hour, the shortest length.",
    ),
]
_Longest = Annotated[
    int,
    Field(
        ge=DURATION_MIN_MINUTES,
        le=DURATION_MAX_MINUTES,
        description="Only with a price by the hour: the longest length, whole half hours above the shortest.",
    ),
]
_FewestPeople = Annotated[int, Field(ge=1, description="Within the vertical's `party_size`.")]
_MostPeople = Annotated[
    int, Field(ge=1, description="Within the vertical's `party_size`; required with a price per person.")
]
_Places = Annotated[
    list[Place],
    Field(
        min_length=1,
        max_length=3,
        description="`provider` needs the profile's `address`, and `online` its `meeting_details`.",
    ),
]
_Radius = Annotated[
    int,
    Field(
        ge=1,
        le=TRAVEL_RADIUS_MAX_KM,
        description="Only with the place `customer`: kilometres from the profile's coordinates.",
    ),
]
_Description = Annotated[str, text_field(most=SERVICE_DESCRIPTION_MAX_LENGTH)]
_UNPLACED: Final = "Without them, those of the vertical's that the profile allows."


class NewServiceIn(Input):
    name: _Name
    category: Annotated[str, Field(description="One of the profile's, by slug or alias.")]
    price_model: _Model = PriceModel.BOOKING
    price_minor: _Price
    currency: Annotated[str, Field(description="The installation's one, which GET /verticals names.")]
    duration_minutes: _Shortest
    max_duration_minutes: _Longest | None = None
    min_people: _FewestPeople = 1
    max_people: _MostPeople | None = None
    places: Annotated[_Places | None, Field(description=_UNPLACED)] = None
    travel_radius_km: _Radius | None = None
    booking_mode: BookingMode
    description: _Description | None = None
    is_paused: Annotated[bool, Field(description="Whether to show it to yourself alone until you resume it.")] = False


class ServiceChangesIn(Input):
    """The fields to change; null empties an optional one."""

    name: _Name | None = None
    category: str | None = None
    price_model: _Model | None = None
    price_minor: _Price | None = None
    duration_minutes: _Shortest | None = None
    max_duration_minutes: _Longest | None = None
    min_people: _FewestPeople | None = None
    max_people: _MostPeople | None = None
    places: _Places | None = None
    travel_radius_km: _Radius | None = None
    booking_mode: BookingMode | None = None
    description: _Description | None = None


class ServiceOrderIn(Input):
    service_ids: Annotated[
        list[UUID], Field(max_length=SERVICES_MAX, description="Each service once, paused ones too, in the new order.")
    ]


class ServiceListOut(BaseModel):
    data: list[Service]
    total: int


_SERVICES: Final = "/service-provider-profiles/{provider_id}/services"
_SERVICE: Final = f"{_SERVICES}/{{service_id}}"


def service_routes(providers: Providers) -> APIRouter:
    router = api_router(tags=["services"])
    _add_list(router, providers)
    _add_service(router, providers)
    return router


def _add_list(router: APIRouter, providers: Providers) -> None:
    @router.get(_SERVICES)
    @refuses(ProviderNotFound)
    async def list_services(visitor: Visitor, provider_id: UUID) -> ServiceListOut:
        """List the services of a provider in their order. Paused ones show to their owner alone."""
        viewer_id = visitor.user_id if visitor else None
        return _listed(await providers.list_services(provider_id=provider_id, viewer_id=viewer_id))

    @router.post(_SERVICES, status_code=HTTPStatus.CREATED)
    @refuses(ProviderNotFound, ServiceInvalid, CategoryUnknown, CurrencyUnsupported)
    async def add_service(caller: SignedIn, provider_id: UUID, body: NewServiceIn) -> Service:
        """Add a service to your profile, behind the others."""
        service = ServiceIn(**dict(body))
        return await providers.add_service(owner_id=caller.user_id, provider_id=provider_id, service=service)

    @router.put(f"{_SERVICES}/order")
    @refuses(ProviderNotFound, ServiceListChanged)
    async def order_services(caller: SignedIn, provider_id: UUID, body: ServiceOrderIn) -> ServiceListOut:
        """Give your services a new order; 409 when one was added or removed meanwhile."""
        ordered = await providers.order_services(
            owner_id=caller.user_id, provider_id=provider_id, service_ids=body.service_ids
        )
        return _listed(ordered)


def _add_service(router: APIRouter, providers: Providers) -> None:
    @router.patch(_SERVICE)
    @refuses(ProviderNotFound, ServiceNotFound, ServiceInvalid, CategoryUnknown)
    async def change_service(caller: SignedIn, provider_id: UUID, service_id: UUID, body: ServiceChangesIn) -> Service:
        """Change a service. Bookings that were made keep their terms."""
        changes = ServiceChanges(**{name: getattr(body, name) for name in body.model_fields_set})
        return await providers.change_service(
            owner_id=caller.user_id, provider_id=provider_id, service_id=service_id, changes=changes
        )

    @router.post(f"{_SERVICE}/duplicate", status_code=HTTPStatus.CREATED)
    @refuses(ProviderNotFound, ServiceNotFound, ServiceInvalid)
    async def duplicate_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> Service:
        """Add a paused copy of a service right behind it."""
        return await providers.duplicate_service(
            owner_id=caller.user_id, provider_id=provider_id, service_id=service_id
        )

    @router.post(f"{_SERVICE}/pause")
    @refuses(ProviderNotFound, ServiceNotFound)
    async def pause_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> Service:
        """Show a service to yourself alone until you resume it. Its bookings stay."""
        return await providers.pause_service(owner_id=caller.user_id, provider_id=provider_id, service_id=service_id)

    @router.post(f"{_SERVICE}/resume")
    @refuses(ProviderNotFound, ServiceNotFound)
    async def resume_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> Service:
        """Offer a paused service again."""
        return await providers.resume_service(owner_id=caller.user_id, provider_id=provider_id, service_id=service_id)

    @router.delete(_SERVICE, status_code=HTTPStatus.NO_CONTENT)
    @refuses(ServiceNotFound)
    async def withdraw_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> None:
        """Remove a service. Bookings already made stay."""
        offer = await providers.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"The provider {provider_id} has no service {service_id}.")
        await providers.withdraw_service(owner_id=caller.user_id, service_id=service_id)


def _listed(services: list[Service]) -> ServiceListOut:
    return ServiceListOut(data=services, total=len(services))
