"""Providers and services, as they cross the border of the catalog."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, computed_field

from fairground.contracts.catalog.schedules import BookingAtOtherTime
from fairground.contracts.dto import DTO


class ProviderStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


class BookingMode(StrEnum):
    INSTANT = "instant"
    REQUEST = "request"


class ProviderSort(StrEnum):
    MOST_BOOKED = "most_booked"
    TOP_RATED = "top_rated"
    NEWEST = "newest"
    PRICE = "price"
    DISTANCE = "distance"
    """From the query's `near`, which must be given."""


class CardField(StrEnum):
    """What a list can show of a provider; `fields` names some of them."""

    ID = "id"
    USER_ID = "user_id"
    """The id again: in the system that this list follows, a provider was numbered by its user."""
    SLUG = "slug"
    BUSINESS_NAME = "business_name"
    PROFILE_PICTURE_URL = "profile_picture_url"
    CUSTOM_SUBTITLE = "custom_subtitle"
    LOCATION = "location"
    SERVICE_CATEGORIES = "service_categories"
    PRICE_FROM_MINOR = "price_from_minor"
    CURRENCY = "currency"
    RATING = "rating"
    RATING_COUNT = "rating_count"
    BOOK_COUNT = "book_count"
    DISTANCE_KM = "distance_km"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


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


class ListedProvider(ProviderCard):
    """A card, with what a list can say besides when it is asked to."""

    distance_km: float | None = None
    """From where the query asked about."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def user_id(self) -> UUID:
        """The provider's id, never the id of an account."""
        return self.id

    created_at: datetime
    updated_at: datetime


class LeanProvider(DTO):
    """The part of a card that is read from one table alone."""

    id: UUID
    business_name: str
    profile_picture_url: str | None
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator]
    @property
    def user_id(self) -> UUID:
        """The provider's id, never the id of an account."""
        return self.id


LEAN_FIELDS: Final = frozenset({*map(CardField, LeanProvider.model_fields), CardField.USER_ID})


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
    """False for an imported provider whom nobody has claimed, and who cannot be booked yet."""


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


def _to_a_hundredth(degrees: float) -> float:
    return round(degrees, 2) + 0.0  # which makes one zero of two


class Place(DTO):
    """A point on the map, a hundredth of a degree exact: about a kilometre, which names a quarter and no house."""

    lat: Annotated[float, Field(ge=-90, le=90), AfterValidator(_to_a_hundredth)]
    lng: Annotated[float, Field(ge=-180, le=180), AfterValidator(_to_a_hundredth)]


class Near(Place):
    """A circle on the map. Its middle is as exact as a place, so that neighbours ask the same question."""

    radius_km: float = Field(default=50, ge=1, le=200)


class ProviderQuery(DTO):
    """A question to the list. Prices are in major units, as the public API has them."""

    vertical: str | None = None
    category: str | None = None
    location: str | None = None
    q: str | None = None
    """A prefix of the name or of a word in it."""
    min_price: float | None = Field(default=None, ge=0, le=1e9)
    max_price: float | None = Field(default=None, ge=0, le=1e9)
    min_rating: float | None = Field(default=None, ge=1, le=5)
    when: date | None = None
    """A date where the provider is, on which some service of theirs can still start."""
    near: Near | None = None
    sort: ProviderSort = ProviderSort.MOST_BOOKED
    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None
    """`next_cursor` of a page of the same sort: go on behind it, whatever `page` says."""
    include_price_distribution: bool = False


class PriceBand(DTO):
    """How many providers start at `min_price` or more and below `max_price` (None: no upper edge), in major units."""

    min_price: int
    max_price: int | None
    count: int


class _Page(DTO):
    data: list[Any]
    total: int
    """How many match; where a filter is set, no more than 1,000 are counted."""
    price_distribution: list[PriceBand]
    """Of the vertical and category, whatever else is asked for; empty unless it was asked for."""
    total_is_lower_bound: bool = False
    next_cursor: str | None = None
    """None when nothing follows."""


class ProviderList(_Page):
    data: list[ListedProvider]


class LeanList(_Page):
    data: list[LeanProvider]


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
    fingerprint: str
    """Of the whole row in that system; an equal one means that nothing has changed."""
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


class ExternalOutcome(DTO):
    created: int
    updated: int
    unchanged: int
    unclaimed: dict[str, UUID]
    """By external id, the providers of the step that have no owner."""
