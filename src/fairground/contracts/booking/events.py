"""Events of booking.

Each change of the days on which a provider is free has a high priority: lists of a date follow it within seconds, also
behind a long queue.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from fairground.contracts.booking.bookings import BookingStatus
from fairground.kernel.messages import Event, Priority, Queue


class _BookingEvent(Event):
    booking_id: UUID
    customer_id: UUID
    provider_id: UUID


class BookingHeld(_BookingEvent):
    topic: ClassVar = "booking.held.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    expires_at: datetime


class BookingRequested(_BookingEvent):
    topic: ClassVar = "booking.requested.v1"
    answer_due_at: datetime


class BookingConfirmed(_BookingEvent):
    topic: ClassVar = "booking.confirmed.v1"


class BookingDeclined(_BookingEvent):
    topic: ClassVar = "booking.declined.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    reason: str | None


class BookingCancelled(_BookingEvent):
    topic: ClassVar = "booking.cancelled.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    by: str
    """`customer` or `provider`."""
    was: BookingStatus
    refund_minor: int


class BookingExpired(_BookingEvent):
    """A hold or a request lapsed."""

    topic: ClassVar = "booking.expired.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    was: BookingStatus


class BookingCompleted(_BookingEvent):
    """Carries the provider's new total and a version, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.completed.v1"
    queue: ClassVar = Queue.DISCOVERY
    provider_completed_count: int
