"""Profiles and approval: their data, the limits of their fields, the errors about them, and cache tags."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from fairground.contracts.dto import DTO
from fairground.contracts.providers.services import BookingMode, Service, ServiceIn
from fairground.kernel.addresses import Address
from fairground.kernel.errors import Conflict, Forbidden, Invalid, NotFound

SLUG_PATTERN: Final = re.compile(r"[a-z0-9-]{1,80}")
EXTERNAL_ID_MAX_LENGTH: Final = 200
SUBTITLE_MAX_LENGTH: Final = 160
BIO_MAX_LENGTH: Final = 6_000
LOCATION_MAX_LENGTH: Final = 120
PHONE_MAX_LENGTH: Final = 40
REASON_MAX_LENGTH: Final = 1_000
CATEGORIES_MAX: Final = 10  # per provider
MEETING_DETAILS_MAX_LENGTH: Final = 500
IMPORT_MAX_ROWS: Final = 500  # per transaction, which bounds the wait of other writers for the lock


class ProviderStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    """In any of the other states, and hidden: by staff, or because the account of its owner is suspended or closed."""


class ProviderCard(DTO):
    """The public fields of a provider in a list; no list shows others."""

    id: UUID
    slug: str
    business_name: str
    profile_picture_url: str | None
    custom_subtitle: str | None
    location: str
    service_categories: list[str]
    price_from_minor: int | None
    """The lowest total for which one of the services can be booked; None without a service."""
    currency: str | None
    rating: float | None
    """Mean of the visible reviews, 1.0 to 5.0; None before the first."""
    rating_count: int
    book_count: int
    """Bookings that were completed."""


class ProviderDetail(ProviderCard):
    """The public page of an approved provider."""

    vertical: str
    bio: str | None
    lat: float | None
    lng: float | None
    timezone: str
    services: list[Service]
    is_claimed: bool
    """False for an imported provider without an owner, who cannot be booked yet."""


class OwnProvider(ProviderDetail):
    """A provider as its owner and the staff see it, in any state."""

    owner_id: UUID | None
    status: ProviderStatus
    rejection_reason: str | None
    suspension_reason: str | None = None
    """Why staff have suspended the provider; None while they have not."""
    submitted_at: datetime | None
    missing: list[str]
    """Keys of the vertical's approval checklist that are not fulfilled yet."""
    contact_email: str | None
    contact_phone: str | None
    address: Address | None = None
    """Where customers come to the provider; a customer of a confirmed booking learns it."""
    meeting_details: str | None = None
    """The link or number of an online booking, likewise."""


class BookingAtOtherTime(DTO):
    """A booking whose instant is no longer at the wall time for which it was made."""

    booking_id: UUID
    service_name: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    """The provider's zone when the booking was made."""
    wall_time: str
    """Of the start in that zone: "2027-01-12T09:00"."""
    new_timezone: str
    new_wall_time: str


class ChangedProvider(OwnProvider):
    """A provider after a change of its profile."""

    bookings_at_other_times: list[BookingAtOtherTime] = Field(default_factory=list)
    """Where the change names `timezone`: the future live bookings that keep their instant at another wall time."""


class ProfileIn(DTO):
    """The profile of a new provider. `timezone` is an IANA name; `lat` and `lng` come together or not at all."""

    vertical: str
    business_name: str
    custom_subtitle: str | None = None
    bio: str | None = None
    location: str
    lat: float | None = None
    lng: float | None = None
    timezone: str
    categories: list[str]
    contact_phone: str | None = None
    address: Address | None = None
    meeting_details: str | None = None


class ProfileChanges(DTO):
    """The fields to change; a field that is not set stays as it is."""

    business_name: str | None = None
    custom_subtitle: str | None = None
    bio: str | None = None
    location: str | None = None
    lat: float | None = None
    lng: float | None = None
    timezone: str | None = None
    categories: list[str] | None = None
    contact_phone: str | None = None
    address: Address | None = None
    meeting_details: str | None = None


class NewProvider(DTO):
    """A provider that comes whole: with its services, a picture of this installation, and the staff's decision."""

    owner_id: UUID
    profile: ProfileIn
    services: list[ServiceIn]
    picture_url: str
    status: ProviderStatus
    rejection_reason: str | None = None


class CreatedProvider(DTO):
    id: UUID
    service_ids: list[UUID]
    """In the order of the services."""


class ProviderContact(DTO):
    """How a customer reaches a provider, which the two sides of a confirmed booking learn."""

    name: str
    email: str | None
    phone: str | None
    address: Address | None
    """Where customers come to the provider."""
    meeting_details: str | None
    """The link or number of an online booking."""


class ProviderRef(DTO):
    """The identity of a provider, by which other modules decide who may act for it."""

    id: UUID
    slug: str
    business_name: str
    owner_id: UUID | None
    vertical: str
    timezone: str
    timezone_version: int = 1
    """Grows with each change of `timezone`."""
    status: ProviderStatus


class ExternalProvider(DTO):
    """A provider as another system describes it. Its `categories` are slugs or aliases of the vertical."""

    external_id: str
    business_name: str
    custom_subtitle: str | None = None
    bio: str | None = None
    location: str
    lat: float | None = None
    lng: float | None = None
    timezone: str
    categories: list[str]
    service_name: str | None = None
    """With the next three, the one service; the pack's defaults fill what is None."""
    price_minor: int | None = None
    """None makes a provider without a service."""
    duration_minutes: int | None = None
    booking_mode: BookingMode = BookingMode.REQUEST
    services: list[ServiceIn] = Field(default_factory=list)
    """Instead of the one service."""
    contact_email: str | None = None
    """The owner's, normalised: an invitation to claim the provider goes there. Shown to staff alone."""


class ExportedProvider(DTO):
    """A provider with all that an import can take of it, in any state."""

    id: UUID
    slug: str
    status: ProviderStatus
    vertical: str
    source: str | None
    """The system that the external id belongs to; None for a provider that was never imported."""
    provider: ExternalProvider
    """Its external id is the provider's own id where there is no source."""
    portrait_id: UUID | None
    gallery_ids: list[UUID]
    """In the order of the gallery."""
    has_drawn_portrait: bool
    """The card shows a picture that media does not keep."""


class ExternalOutcome(DTO):
    created: int
    updated: int
    unchanged: int
    unclaimed: dict[str, UUID]
    """The providers of the step without an owner, by external id."""
    updated_ids: frozenset[UUID] = frozenset()


class ProviderSnapshot(DTO):
    """A provider as read models copy it, in any state."""

    id: UUID
    version: int
    """Grows with each change of what follows; a snapshot of a lower version is older."""
    status: ProviderStatus
    vertical: str
    slug: str
    business_name: str
    custom_subtitle: str | None
    bio: str | None
    location: str
    lat: float | None
    lng: float | None
    profile_picture_url: str | None
    categories: list[str]
    """Slugs, in the provider's order."""
    service_names: list[str]
    """Of the services that can be booked, in the provider's order."""
    price_from_minor: int | None
    """The lowest total that can be booked."""
    currency: str | None
    rating_avg: float
    """Zero before the first review."""
    rating_count: int
    book_count: int
    created_at: datetime
    updated_at: datetime


class ProviderNotFound(NotFound):
    code = "catalog.provider_not_found"
    hint = "See GET /api/v1/service-provider-profiles/ for all providers."


class ProfileMissing(ProviderNotFound):
    """The caller's own account has no profile yet."""

    code = "catalog.profile_missing"
    hint = "Create your profile first: POST /api/v1/service-provider-profiles/."


class VerticalUnknown(Invalid):
    code = "catalog.vertical_unknown"
    hint = "See GET /api/v1/verticals for all verticals."


class ProfileInvalid(Invalid):
    code = "catalog.profile_invalid"


class ContactInUse(Conflict):
    """Services take place at the address, online or around the location that a change would remove."""

    code = "catalog.contact_in_use"


class ProfileExists(Conflict):
    code = "catalog.profile_exists"
    hint = "Each account has one profile. Update it with PATCH /api/v1/service-provider-profiles/{id}."


class ProfileIncomplete(Conflict):
    code = "catalog.profile_incomplete"


class StatusConflict(Conflict):
    code = "catalog.status_conflict"


class NotAProvider(Forbidden):
    code = "catalog.not_a_provider"
    hint = "Turn a customer account into a provider account with POST /api/v1/me/become-provider."


class StaffOnly(Forbidden):
    code = "catalog.staff_only"


ALL_PROVIDERS: Final = "catalog"
"""The cache tag of every list and every provider. `providers` invalidates it when many change at once."""


def provider_tag(key: UUID | str) -> str:
    """Return the cache tag of a provider by its id or slug; a response has the tag of the key in its request.

    `providers` invalidates both tags in the transaction that changes the provider's page.
    """
    return f"provider:{key}"


def _canonical(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        pass
    if not SLUG_PATTERN.fullmatch(key):
        raise ValueError("neither an id nor a slug")
    return key


class ProviderPath(BaseModel):
    """The path parameter of a provider: a slug, or an id in its canonical spelling."""

    id_or_slug: Annotated[str, AfterValidator(_canonical)]
