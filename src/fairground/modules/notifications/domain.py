"""Which events become notifications, for whom, and for how long they are worth a mail: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    BookingStatus,
)

BookingEvent = (
    BookingRequested | BookingConfirmed | BookingDeclined | BookingCancelled | BookingExpired | BookingCompleted
)

REVIEW_REQUEST_MAX_AGE: Final = timedelta(days=14)  # since the end; a later request for a review would annoy


class Audience(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    STAFF = "staff"


@dataclass(frozen=True)
class BookingRule:
    """How a booking event becomes notifications."""

    status: BookingStatus
    """The notification is current while the booking has this status; a later event announces the next one."""
    audiences: tuple[Audience, ...]


_BOTH: Final = (Audience.CUSTOMER, Audience.PROVIDER)
BOOKING_RULES: Final[Mapping[str, BookingRule]] = {
    BookingRequested.topic: BookingRule(BookingStatus.REQUESTED, _BOTH),
    BookingConfirmed.topic: BookingRule(BookingStatus.CONFIRMED, _BOTH),
    BookingDeclined.topic: BookingRule(BookingStatus.DECLINED, (Audience.CUSTOMER,)),
    BookingCancelled.topic: BookingRule(BookingStatus.CANCELLED, _BOTH),
    BookingExpired.topic: BookingRule(BookingStatus.EXPIRED, _BOTH),
    BookingCompleted.topic: BookingRule(BookingStatus.COMPLETED, (Audience.CUSTOMER,)),
}


@dataclass(frozen=True, kw_only=True)
class NotificationRecord:
    """One notification of one user, as it is written and mailed."""

    user_id: UUID
    topic: str
    subject_id: UUID
    occasion: str = ""
    title: str
    text: str
    """Paragraphs, with an empty line between them."""
    action: str
    link: str
    changes_calendar: bool = False


def was_only_held(event: BookingEvent) -> bool:
    """Tell whether a hold ended: only its customer knew of it."""
    return isinstance(event, BookingCancelled | BookingExpired) and event.was is BookingStatus.HELD


def changes_calendar(event: BookingEvent) -> bool:
    """Tell whether the event adds an entry to the calendars of both sides, or removes one."""
    if isinstance(event, BookingCancelled):
        return event.was is BookingStatus.CONFIRMED
    return isinstance(event, BookingConfirmed)


def is_current(topic: str, *, status: BookingStatus, ends_at: datetime, now: datetime) -> bool:
    """Tell whether a booking still has the status that the topic announces."""
    if status is BookingStatus.COMPLETED and now - ends_at > REVIEW_REQUEST_MAX_AGE:
        return False
    return status is BOOKING_RULES[topic].status
