"""What happens to bookings.

Every event that changes a day on which a provider is free is awaited: the lists of a date follow it, also behind a
long queue.
"""

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
    is_awaited: ClassVar = True
    expires_at: datetime


class BookingRequested(_BookingEvent):
    topic: ClassVar = "booking.requested.v1"
    answer_due_at: datetime


class BookingConfirmed(_BookingEvent):
    topic: ClassVar = "booking.confirmed.v1"


class BookingDeclined(_BookingEvent):
    topic: ClassVar = "booking.declined.v1"
    is_awaited: ClassVar = True
    reason: str | None


class BookingCancelled(_BookingEvent):
    topic: ClassVar = "booking.cancelled.v1"
    is_awaited: ClassVar = True
    by: str
    """`customer` or `provider`."""
    was: BookingStatus
    refund_minor: int


class BookingExpired(_BookingEvent):
    """A hold or a request lapsed."""

    topic: ClassVar = "booking.expired.v1"
    is_awaited: ClassVar = True
    was: BookingStatus


class BookingCompleted(_BookingEvent):
    """Carries the provider's new total and a version, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.completed.v1"
    provider_completed_count: int
