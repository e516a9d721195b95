"""The plan of the demo: all that it will contain, frozen and in plain types, before anything is written."""

from datetime import date, time, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fairground.verticals.schema import BookingMode, Motif

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
    price_minor: int = Field(gt=0, description="In minor units of `currency`.")
    currency: str = Field(description="ISO 4217.")
    duration_minutes: int = Field(gt=0)
    booking_mode: BookingMode


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
