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

MESSAGE_MAIL_DELAY: Final = timedelta(seconds=30)
"""A recipient who has the page open reads a message in this time, and needs no mail about it."""
MESSAGE_MAIL_PAUSE: Final = timedelta(hours=1)
"""After a mail about an unread message, further ones of the conversation are not mailed in this time."""
MESSAGE_QUOTE_MAX_LENGTH: Final = 500
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


@dataclass(frozen=True)
class UnreadStretch:
    """A stretch of messages that their recipient has not read, and which notification of it this is.

    Handlers that run at the same moment write the same occasion, of which the database stores one.
    """

    read_sequence: int
    """Where the stretch begins: up to where its recipient has read."""
    number: int = 0
    """Grows by one after each pause."""

    @property
    def occasion(self) -> str:
        return f"{self.read_sequence}.{self.number}"

    @classmethod
    def of_occasion(cls, occasion: str) -> "UnreadStretch":
        read_sequence, _, number = occasion.partition(".")
        return cls(int(read_sequence), int(number))


def next_stretch(
    *, read_sequence: int, last: UnreadStretch | None, last_at: datetime | None, now: datetime
) -> UnreadStretch | None:
    """Return of which stretch to notify the recipient of a message now; None within the pause.

    Args:
        read_sequence: Up to where the recipient has read.
        last: The newest notification about the conversation, with its time.
    """
    if last is None or last_at is None or last.read_sequence != read_sequence:
        return UnreadStretch(read_sequence)
    return None if now - last_at < MESSAGE_MAIL_PAUSE else UnreadStretch(read_sequence, last.number + 1)


def quote(text: str) -> str:
    """Return the beginning of a message, cut at a word."""
    if len(text) <= MESSAGE_QUOTE_MAX_LENGTH:
        return text
    cut = text[: MESSAGE_QUOTE_MAX_LENGTH - 1]
    # A text without a blank in its last part is cut inside a word.
    at = max(cut.rfind(blank, MESSAGE_QUOTE_MAX_LENGTH // 2) for blank in (" ", "\n"))
    return f"{(cut[:at] if at > 0 else cut).rstrip()}…"
