"""Who hears of what, and until when it is news: pure rules."""

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

REVIEWS_ARE_ASKED_FOR: Final = timedelta(days=14)  # after the end; later than that, asking is a nuisance


class Audience(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    STAFF = "staff"


@dataclass(frozen=True)
class News:
    """What an event of a booking means to its sides."""

    status: BookingStatus
    """As long as the booking is so, it is news; what has moved on since is told by a later event."""
    audiences: tuple[Audience, ...]


_BOTH: Final = (Audience.CUSTOMER, Audience.PROVIDER)
NEWS_OF_BOOKINGS: Final[Mapping[str, News]] = {
    BookingRequested.topic: News(BookingStatus.REQUESTED, _BOTH),
    BookingConfirmed.topic: News(BookingStatus.CONFIRMED, _BOTH),
    BookingDeclined.topic: News(BookingStatus.DECLINED, (Audience.CUSTOMER,)),
    BookingCancelled.topic: News(BookingStatus.CANCELLED, _BOTH),
    BookingExpired.topic: News(BookingStatus.EXPIRED, _BOTH),
    BookingCompleted.topic: News(BookingStatus.COMPLETED, (Audience.CUSTOMER,)),
}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What one user is told of one thing."""

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
    """Tell whether what ended was a hold: nobody but its holder knew of it."""
    return isinstance(event, BookingCancelled | BookingExpired) and event.was is BookingStatus.HELD


def changes_calendar(event: BookingEvent) -> bool:
    """Tell whether an entry comes into the calendars of both sides, or one that is there has to go."""
    if isinstance(event, BookingCancelled):
        return event.was is BookingStatus.CONFIRMED
    return isinstance(event, BookingConfirmed)


def is_news(topic: str, *, status: BookingStatus, ends_at: datetime, now: datetime) -> bool:
    """Tell whether the booking is still as the topic says."""
    if status is BookingStatus.COMPLETED and now - ends_at > REVIEWS_ARE_ASKED_FOR:
        return False
    return status is NEWS_OF_BOOKINGS[topic].status
