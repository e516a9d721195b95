"""Profiles: the routes of the public, of owners and of staff."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from fairground.contracts.providers import (
    ALL_PROVIDERS,
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    LOCATION_MAX_LENGTH,
    MEETING_DETAILS_MAX_LENGTH,
    NAME_MAX_LENGTH,
    PHONE_MAX_LENGTH,
    REASON_MAX_LENGTH,
    SUBTITLE_MAX_LENGTH,
    ChangedProvider,
    OwnProvider,
    Portraits,
    ProfileChanges,
    ProfileIn,
    ProviderDetail,
    ProviderPath,
    Providers,
    provider_tag,
)
from fairground.kernel.addresses import Address
from fairground.kernel.inputs import Input, text_field
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.identity import SignedIn, Staff
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
_CONFIRMED: Final = "Shown to customers with a confirmed booking, and to staff."
_Phone = Annotated[str, text_field(most=PHONE_MAX_LENGTH, description=_CONFIRMED)]
_Address = Annotated[Address, Field(description=f"Where customers come to you. {_CONFIRMED}")]
_Meeting = Annotated[
    str, text_field(most=MEETING_DETAILS_MAX_LENGTH, description=f"Link or number of online bookings. {_CONFIRMED}")
]


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
    address: _Address | None = None
    meeting_details: _Meeting | None = None


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
    address: _Address | None = None
    meeting_details: _Meeting | None = None


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
        """Read the public page of an approved provider, by id or slug."""
        return await providers.get_provider(id_or_slug=id_or_slug)

    @router.get("/me/provider")
    async def get_own_provider(caller: SignedIn) -> OwnProvider:
        """Read your own profile in any state, with what is missing for its approval."""
        return await providers.get_own_provider(owner_id=caller.user_id)

    @router.post("/service-provider-profiles/", status_code=HTTPStatus.CREATED)
    async def create_provider(caller: SignedIn, body: ProviderIn) -> OwnProvider:
        """Create your profile as a draft."""
        return await providers.create_provider(owner_id=caller.user_id, profile=ProfileIn(**dict(body)))

    @router.patch("/service-provider-profiles/{provider_id}")
    async def change_provider(caller: SignedIn, provider_id: UUID, body: ProviderChangesIn) -> ChangedProvider:
        """Change your profile.

        With another timezone, your hours keep their wall times and bookings their instants:
        `bookings_at_other_times` lists those that your clock shows at another time than they were made for.
        """
        changes = ProfileChanges(**{name: getattr(body, name) for name in body.model_fields_set})
        return await providers.change_provider(owner_id=caller.user_id, provider_id=provider_id, changes=changes)

    @router.put("/service-provider-profiles/{provider_id}/picture")
    async def choose_portrait(caller: SignedIn, provider_id: UUID, body: PictureChoiceIn) -> OwnProvider:
        """Choose a picture of yours (POST /api/v1/media/uploads); it shows as soon as it is ready."""
        return await portraits.choose_portrait(
            owner_id=caller.user_id, provider_id=provider_id, picture_id=body.picture_id
        )

    @router.post("/service-provider-profiles/{provider_id}/submit")
    async def submit_provider(caller: SignedIn, provider_id: UUID) -> OwnProvider:
        """Submit your profile for approval."""
        return await providers.submit_provider(owner_id=caller.user_id, provider_id=provider_id)

    @router.post("/service-provider-profiles/{provider_id}/approve")
    async def approve_provider(caller: Staff, provider_id: UUID) -> OwnProvider:
        """Approve a submitted profile."""
        return await providers.approve_provider(staff_id=caller.user_id, provider_id=provider_id)

    @router.post("/service-provider-profiles/{provider_id}/reject")
    async def reject_provider(caller: Staff, provider_id: UUID, body: RejectionIn) -> OwnProvider:
        """Reject a submitted profile with a reason that its owner reads."""
        return await providers.reject_provider(staff_id=caller.user_id, provider_id=provider_id, reason=body.reason)

    return router
