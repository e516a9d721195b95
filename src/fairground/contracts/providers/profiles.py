"""Providers and their services as contracts hand them over, and the limits of their fields in characters."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import Field

from fairground.contracts.dto import DTO

EXTERNAL_ID_MAX_LENGTH: Final = 200
NAME_MAX_LENGTH: Final = 120
SUBTITLE_MAX_LENGTH: Final = 160
BIO_MAX_LENGTH: Final = 6_000
LOCATION_MAX_LENGTH: Final = 120
PHONE_MAX_LENGTH: Final = 40
SERVICE_DESCRIPTION_MAX_LENGTH: Final = 2_000
REASON_MAX_LENGTH: Final = 1_000
CATEGORIES_MAX: Final = 10  # of one provider
SERVICES_MAX: Final = 100  # of one provider
PRICE_MAX_MINOR: Final = 100_000_000
DURATION_MIN_MINUTES: Final = 5
DURATION_MAX_MINUTES: Final = 1440
IMPORT_MAX_ROWS: Final = 500  # in one transaction, which bounds how long others wait for the write lock


class ProviderStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


class BookingMode(StrEnum):
    INSTANT = "instant"
    REQUEST = "request"


class ProviderCard(DTO):
    """What a list shows of a provider, and all that it may ever show."""

    id: UUID
    slug: str
    business_name: str
    profile_picture_url: str | None
    custom_subtitle: str | None
    location: str
    service_categories: list[str]
    price_from_minor: int | None
    currency: str | None
    rating: float | None
    """Mean of the visible reviews, 1.0 to 5.0; None before the first."""
    rating_count: int
    book_count: int
    """Bookings that were completed."""


class Service(DTO):
    id: UUID
    provider_id: UUID
    name: str
    category: str
    price_minor: int
    currency: str
    duration_minutes: int
    booking_mode: BookingMode
    description: str | None


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
    submitted_at: datetime | None
    missing: list[str]
    """Keys of the vertical's approval checklist that are not yet fulfilled."""
    contact_email: str | None
    contact_phone: str | None


class BookingAtOtherTime(DTO):
    """A booking whose instant is no longer at the wall time of the provider at which it was made."""

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
    """Where the change names `timezone`: the live bookings ahead that keep their instant at another wall time."""


class ProfileIn(DTO):
    """What a provider says of itself. `timezone` is an IANA name; `lat` and `lng` come together or not at all."""

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


class ServiceIn(DTO):
    name: str
    category: str
    price_minor: int
    currency: str
    duration_minutes: int
    booking_mode: BookingMode
    description: str | None = None


class Offer(DTO):
    """A service with all that a booking must know, copied at booking time."""

    service_id: UUID
    service_name: str
    provider_id: UUID
    provider_name: str
    provider_slug: str
    owner_id: UUID | None
    vertical: str
    location: str
    timezone: str
    price_minor: int
    currency: str
    duration_minutes: int
    booking_mode: BookingMode
    is_bookable: bool
    """The provider is approved and claimed, and the service is offered."""


class ProviderRef(DTO):
    """What other modules need to decide who may act for a provider."""

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
    """By external id, the providers of the step that have no owner."""


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
    """Slugs, in the order in which the provider named them."""
    service_names: list[str]
    """Of the services that are offered, the oldest first."""
    price_from_minor: int | None
    currency: str | None
    rating_avg: float
    """Zero before the first review."""
    rating_count: int
    book_count: int
    created_at: datetime
    updated_at: datetime
