"""Services: their data, the limits of their fields, and the errors about them."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, NotFound
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Place

NAME_MAX_LENGTH: Final = 120
SERVICE_DESCRIPTION_MAX_LENGTH: Final = 2_000
SERVICES_MAX: Final = 100  # per provider
PRICE_MAX_MINOR: Final = 100_000_000
DURATION_MIN_MINUTES: Final = 5
DURATION_MAX_MINUTES: Final = 1440
TRAVEL_RADIUS_MAX_KM: Final = 20_000


class BookingMode(StrEnum):
    INSTANT = "instant"
    REQUEST = "request"


class ServiceTerms(DTO):
    """What a service costs, how long it takes, where it can take place and for how many."""

    price_model: PriceModel = PriceModel.BOOKING
    price_minor: int
    """Of a booking, a person or an hour, as the model says."""
    currency: str
    duration_minutes: int
    """With a price by the hour, the shortest length."""
    max_duration_minutes: int | None = None
    """The longest length, only with a price by the hour: bookings are longer by whole half hours."""
    min_people: int = 1
    max_people: int | None = None
    """None where the vertical does not count people."""
    travel_radius_km: int | None = None
    """How far from the provider's location the customer's place may be; None without a limit."""


class Service(ServiceTerms):
    id: UUID
    provider_id: UUID
    name: str
    category: str
    booking_mode: BookingMode
    description: str | None
    places: list[Place]
    """Of the vertical's places: at the `customer`, at the `provider` or `online`."""
    is_paused: bool = False
    """A paused service is shown to its owner alone, and cannot be booked."""


class ServiceIn(ServiceTerms):
    """A new service. Without `places` it can take place wherever the vertical and the provider's profile allow."""

    name: str
    category: str
    booking_mode: BookingMode
    description: str | None = None
    places: list[Place] | None = None
    is_paused: bool = False


class ServiceChanges(DTO):
    """The fields to change; a field that is not set stays as it is. None empties an optional one."""

    name: str | None = None
    category: str | None = None
    price_model: PriceModel | None = None
    price_minor: int | None = None
    duration_minutes: int | None = None
    max_duration_minutes: int | None = None
    min_people: int | None = None
    max_people: int | None = None
    places: list[Place] | None = None
    travel_radius_km: int | None = None
    booking_mode: BookingMode | None = None
    description: str | None = None


class Offer(ServiceTerms):
    """A service with the terms that a booking copies."""

    service_id: UUID
    service_name: str
    provider_id: UUID
    provider_name: str
    provider_slug: str
    owner_id: UUID | None
    vertical: str
    location: str
    lat: float | None = None
    lng: float | None = None
    timezone: str
    booking_mode: BookingMode
    places: list[Place]
    is_bookable: bool
    """Whether the provider is approved and claimed, and the service is offered and not paused."""


def can_serve(place: Place, *, has_address: bool, has_meeting_details: bool) -> bool:
    """Return whether a provider with these contact details can offer services at the place."""
    return has_address if place == "provider" else has_meeting_details if place == "online" else True


class ServiceNotFound(NotFound):
    code = "catalog.service_not_found"
    hint = "GET /api/v1/service-provider-profiles/{id}/services lists what a provider offers."


class CategoryUnknown(Invalid):
    code = "catalog.category_unknown"
    hint = "GET /api/v1/categories?vertical=… lists the categories of a vertical."


class ServiceInvalid(Invalid):
    code = "catalog.service_invalid"


class ServiceListChanged(Conflict):
    code = "catalog.service_list_changed"
    hint = "GET /api/v1/service-provider-profiles/{id}/services lists what is there now; name each of them once."


class CurrencyUnsupported(Invalid):
    code = "catalog.currency_unsupported"
    hint = "This installation has one currency; GET /api/v1/verticals names it."
