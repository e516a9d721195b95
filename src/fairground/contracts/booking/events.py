"""Events of booking.

Each change of the days on which a provider is free has a high priority: lists of a date follow it within seconds, also
behind a long queue.
"""

from datetime import date, datetime, time
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


class AvailabilityRulesSet(Event):
    """The provider's hours were replaced. The version only grows, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.availability_rules_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID
    has_hours: bool
    """Whether any weekly hours are left."""
    version: int


class FreeDaysSet(Event):
    """On which days a provider can still be booked, whole and with a version that only grows.

    A day is said by its last start on the clock of the zone, or by None when it has none. A booking needs notice and a
    horizon besides, which are the vertical's.
    """

    topic: ClassVar = "booking.free_days_set.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID
    version: int
    timezone: str
    week: list[time | None]
    """From Monday to Sunday, as long as nothing is booked."""
    days: dict[date, time | None]
    """The dates from today on that are not like the week."""
