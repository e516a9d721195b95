"""What booking tells."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from fairground.contracts.booking.bookings import BookingStatus
from fairground.kernel.messages import Event


class _BookingEvent(Event):
    booking_id: UUID
    customer_id: UUID
    provider_id: UUID


class BookingHeld(_BookingEvent):
    topic: ClassVar = "booking.held.v1"
    expires_at: datetime


class BookingRequested(_BookingEvent):
    topic: ClassVar = "booking.requested.v1"
    answer_due_at: datetime


class BookingConfirmed(_BookingEvent):
    topic: ClassVar = "booking.confirmed.v1"


class BookingDeclined(_BookingEvent):
    topic: ClassVar = "booking.declined.v1"
    reason: str | None


class BookingCancelled(_BookingEvent):
    topic: ClassVar = "booking.cancelled.v1"
    by: str
    """`customer` or `provider`."""
    was: BookingStatus
    refund_minor: int


class BookingExpired(_BookingEvent):
    """A hold or a request lapsed."""

    topic: ClassVar = "booking.expired.v1"
    was: BookingStatus


class BookingCompleted(_BookingEvent):
    """Carries the provider's new total and a version, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.completed.v1"
    provider_completed_count: int


class AvailabilityRulesSet(Event):
    """The provider's hours were replaced. The version only grows, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.availability_rules_set.v1"
    provider_id: UUID
    has_hours: bool
    """Whether any weekly hours are left."""
    version: int
