"""Profiles and services: the routes of the public, of owners and of staff."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import (
    ALL_PROVIDERS,
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    LOCATION_MAX_LENGTH,
    NAME_MAX_LENGTH,
    PHONE_MAX_LENGTH,
    PRICE_MAX_MINOR,
    REASON_MAX_LENGTH,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    SUBTITLE_MAX_LENGTH,
    BookingMode,
    ChangedProvider,
    OwnProvider,
    Portraits,
    ProfileChanges,
    ProfileIn,
    ProviderDetail,
    ProviderPath,
    Providers,
    Service,
    ServiceIn,
    ServiceNotFound,
    provider_tag,
)
from fairground.kernel.inputs import Input, text_field
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.identity import SignedIn, Staff, Visitor
from fairground.platform.http.routing import api_router

_Name = Annotated[str, Field(min_length=1), text_field(most=NAME_MAX_LENGTH)]
_Subtitle = Annotated[str, text_field(most=SUBTITLE_MAX_LENGTH)]
_Bio = Annotated[str, text_field(most=BIO_MAX_LENGTH)]
_Location = Annotated[str, Field(min_length=1), text_field(most=LOCATION_MAX_LENGTH)]
_Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")]
_Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")]
_Zone = Annotated[str, Field(max_length=60, description="An IANA name, such as Europe/Oslo.")]
_Word = Annotated[str, Field(max_length=80)]
_Categories = Annotated[list[_Word], Field(min_length=1, max_length=CATEGORIES_MAX, description="Slugs or aliases.")]
_Phone = Annotated[str, text_field(most=PHONE_MAX_LENGTH, description="Shown to staff alone.")]


class ProviderIn(Input):
    vertical: str
    business_name: _Name
    custom_subtitle: _Subtitle | None = None
    bio: _Bio | None = None
    location: _Location
    lat: _Latitude | None = None
    lng: _Longitude | None = None
    timezone: _Zone
    categories: _Categories
    contact_phone: _Phone | None = None


class ProviderChangesIn(Input):
    """The fields to change; null empties an optional one."""

    business_name: _Name | None = None
    custom_subtitle: _Subtitle | None = None
    bio: _Bio | None = None
    location: _Location | None = None
    lat: _Latitude | None = None
    lng: _Longitude | None = None
    timezone: _Zone | None = None
    categories: _Categories | None = None
    contact_phone: _Phone | None = None


class RejectionIn(Input):
    reason: Annotated[str, Field(min_length=1), text_field(most=REASON_MAX_LENGTH)]


class PictureChoiceIn(Input):
    picture_id: UUID


def provider_tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cache tags of a response about the provider in the path."""
    return ALL_PROVIDERS, provider_tag(parameters["id_or_slug"])


def profile_routes(providers: Providers, portraits: Portraits) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/service-provider-profiles/{id_or_slug}")
    @cached(CachePolicy(route="provider", life=Life.DETAILS, path=ProviderPath, tags=provider_tags))
    async def get_provider(id_or_slug: str) -> ProviderDetail:
        """Get the public profile of an approved provider, by id or slug."""
        return await providers.get_provider(id_or_slug=id_or_slug)

    @router.get("/me/provider")
    async def get_own_provider(caller: SignedIn) -> OwnProvider:
        """Get your own profile, with what is missing for its approval."""
        return await providers.get_own_provider(owner_id=caller.user_id)

    @router.post("/service-provider-profiles/", status_code=HTTPStatus.CREATED)
    async def create_provider(caller: SignedIn, body: ProviderIn) -> OwnProvider:
        """Create your profile, as a draft."""
        return await providers.create_provider(owner_id=caller.user_id, profile=ProfileIn(**body.model_dump()))

    @router.patch("/service-provider-profiles/{provider_id}")
    async def change_provider(caller: SignedIn, provider_id: UUID, body: ProviderChangesIn) -> ChangedProvider:
        """Update your profile.

        If you change the time zone, your hours keep their local times and bookings keep their moment.
        `bookings_at_other_times` lists bookings whose local time changes.
        """
        changes = ProfileChanges(**body.model_dump(exclude_unset=True))
        return await providers.change_provider(owner_id=caller.user_id, provider_id=provider_id, changes=changes)

    @router.put("/service-provider-profiles/{provider_id}/picture")
    async def choose_portrait(caller: SignedIn, provider_id: UUID, body: PictureChoiceIn) -> OwnProvider:
        """Set your portrait to one of your pictures (see POST /api/v1/media/uploads)."""
        return await portraits.choose_portrait(
            owner_id=caller.user_id, provider_id=provider_id, picture_id=body.picture_id
        )

    @router.post("/service-provider-profiles/{provider_id}/submit")
    async def submit_provider(caller: SignedIn, provider_id: UUID) -> OwnProvider:
        """Submit your profile for review."""
        return await providers.submit_provider(owner_id=caller.user_id, provider_id=provider_id)

    @router.post("/service-provider-profiles/{provider_id}/approve")
    async def approve_provider(caller: Staff, provider_id: UUID) -> OwnProvider:
        """Approve a submitted profile."""
        return await providers.approve_provider(staff_id=caller.user_id, provider_id=provider_id)

    @router.post("/service-provider-profiles/{provider_id}/reject")
    async def reject_provider(caller: Staff, provider_id: UUID, body: RejectionIn) -> OwnProvider:
        """Reject a submitted profile, with a reason for its owner."""
        return await providers.reject_provider(staff_id=caller.user_id, provider_id=provider_id, reason=body.reason)

    return router


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


def service_routes(providers: Providers) -> APIRouter:
    router = api_router(tags=["services"])

    @router.get("/service-provider-profiles/{provider_id}/services")
    async def list_services(visitor: Visitor, provider_id: UUID) -> ServiceListOut:
        """List the services of a provider."""
        viewer_id = visitor.user_id if visitor else None
        data = await providers.list_services(provider_id=provider_id, viewer_id=viewer_id)
        return ServiceListOut(data=data, total=len(data))

    @router.post("/service-provider-profiles/{provider_id}/services", status_code=HTTPStatus.CREATED)
    async def add_service(caller: SignedIn, provider_id: UUID, body: NewServiceIn) -> Service:
        """Add a service to your profile."""
        service = ServiceIn(**body.model_dump())
        return await providers.add_service(owner_id=caller.user_id, provider_id=provider_id, service=service)

    @router.delete("/service-provider-profiles/{provider_id}/services/{service_id}", status_code=HTTPStatus.NO_CONTENT)
    async def withdraw_service(caller: SignedIn, provider_id: UUID, service_id: UUID) -> None:
        """Remove a service. Existing bookings don't change."""
        offer = await providers.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"Provider {provider_id} has no service {service_id}.")
        await providers.withdraw_service(owner_id=caller.user_id, service_id=service_id)

    return router
