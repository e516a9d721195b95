"""The plan of the demo: all that it will contain, frozen and in plain types, before anything is written."""

from datetime import date, time, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fairground.kernel.addresses import Address
from fairground.verticals.pricing import PriceModel, list_lengths
from fairground.verticals.schema import BookingMode, Motif, Place

ProviderState = Literal["approved", "submitted", "rejected", "draft"]
BookingState = Literal["completed", "confirmed", "requested"]
MessageSide = Literal["customer", "provider"]


class Planned(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoDay(Planned):
    """A day relative to the week in which the demo is built, so that weekly hours and bookings agree."""

    week: int = Field(description="Weeks from this one; negative for the past.")
    weekday: int = Field(ge=0, le=6, description="Monday is 0.")

    def on(self, *, today: date) -> date:
        monday = today - timedelta(days=today.weekday())
        return monday + timedelta(weeks=self.week, days=self.weekday)


class DemoPlace(Planned):
    city: str
    country: str
    lat: float = Field(ge=-90, le=90, description="Degrees, WGS 84.")
    lng: float = Field(ge=-180, le=180, description="Degrees, WGS 84.")
    timezone: str = Field(description="IANA name.")

    @property
    def location(self) -> str:
        return f"{self.city}, {self.country}"


class DemoHours(Planned):
    """A weekly window in the provider's wall time."""

    weekday: int = Field(ge=0, le=6, description="Monday is 0.")
    start: time
    end: time


class DemoService(Planned):
    name: str
    category: str = Field(description="Slug within the provider's vertical.")
    description: str
    price_model: PriceModel
    price_minor: int = Field(gt=0, description="Of a booking, person or hour, in minor units of `currency`.")
    currency: str = Field(description="ISO 4217.")
    duration_minutes: int = Field(gt=0)
    max_duration_minutes: int | None
    min_people: int
    max_people: int | None
    places: tuple[Place, ...]
    travel_radius_km: int | None
    booking_mode: BookingMode

    @property
    def lengths(self) -> list[int]:
        """The lengths that a booking may have, in minutes."""
        return list_lengths(shortest_minutes=self.duration_minutes, longest_minutes=self.max_duration_minutes)


class DemoReview(Planned):
    rating: int = Field(ge=1, le=5)
    text: str


class DemoMessage(Planned):
    side: MessageSide
    text: str


class DemoBooking(Planned):
    """One booking of its provider's. `customer` and `service` are indices into the plan's and the provider's tuples."""

    customer: int = Field(ge=0)
    service: int = Field(ge=0)
    day: DemoDay
    start: time = Field(description="In the provider's wall time.")
    duration_minutes: int = Field(gt=0, description="One of the service's lengths.")
    place: Place
    address: Address | None = Field(description="Of the customer's place, where it takes place there.")
    party_size: int | None = Field(description="None where the service is for one person.")
    state: BookingState
    note: str
    review_by_customer: DemoReview | None
    review_by_provider: DemoReview | None
    messages: tuple[DemoMessage, ...] = Field(default=(), description="The oldest first.")


class DemoPicture(Planned):
    """What `draw_portrait` and `draw_cover` need; equal values draw equal pictures."""

    seed: str
    initials: str
    hue: int = Field(ge=0, le=359, description="Degrees on the colour wheel.")
    motif: Motif


class DemoProfile(Planned):
    vertical: str = Field(description="Key of the pack.")
    business_name: str = Field(description="Unique in the plan.")
    custom_subtitle: str
    bio: str
    place: DemoPlace
    address: Address = Field(description="Where customers come to the provider.")
    meeting_details: str = Field(description="The link of online bookings.")
    categories: tuple[str, ...] = Field(description="Slugs; the first is the trade that the texts are about.")


class DemoCalendar(Planned):
    hours: tuple[DemoHours, ...]
    days_off: tuple[DemoDay, ...] = Field(description="None of them is booked.")
    bookings: tuple[DemoBooking, ...] = Field(description="At most one a day, the earliest first.")


class DemoProvider(Planned):
    owner_name: str
    email: str
    profile: DemoProfile
    services: tuple[DemoService, ...]
    calendar: DemoCalendar
    picture: DemoPicture
    state: ProviderState
    rejection_reason: str = Field(description="Empty unless `state` is rejected.")


class DemoCustomer(Planned):
    name: str
    email: str


class DemoPlan(Planned):
    seed: int
    providers: tuple[DemoProvider, ...]
    customers: tuple[DemoCustomer, ...]
