"""Who may write when, and what each side of a conversation has read: pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.booking import BookingNotFound, BookingSide, BookingStatus
from fairground.contracts.messaging import (
    MESSAGE_MAX_LENGTH,
    MessageInvalid,
    MessageSide,
    MessagingClosed,
    SubjectKind,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.text import refused_as, require_text

WRITABLE_AFTER_END: Final = timedelta(days=30)
"""Of a booking that did not take place; both sides may have something to settle, such as a refund."""
_ALWAYS_OPEN: Final = frozenset({BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED})


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationRecord:
    """The row of a conversation."""

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    customer_id: UUID
    provider_id: UUID
    provider_owner_id: UUID
    last_sequence: int
    last_message_at: datetime
    customer_read_sequence: int
    customer_unread_count: int
    provider_read_sequence: int
    provider_unread_count: int

    def side_of(self, user_id: UUID) -> MessageSide:
        """Return the side of a user who is on one of them."""
        return MessageSide.CUSTOMER if user_id == self.customer_id else MessageSide.PROVIDER

    def user_on(self, side: MessageSide) -> UUID:
        return self.customer_id if side is MessageSide.CUSTOMER else self.provider_owner_id

    def read_sequence(self, side: MessageSide) -> int:
        return self.customer_read_sequence if side is MessageSide.CUSTOMER else self.provider_read_sequence

    def unread_count(self, side: MessageSide) -> int:
        return self.customer_unread_count if side is MessageSide.CUSTOMER else self.provider_unread_count


def new_conversation(booking: BookingSide, *, at: datetime, **values: int) -> ConversationRecord:
    """Return a conversation about a booking; `values` are sequences and counts that are not 0."""
    return ConversationRecord(
        id=uuid7(),
        subject_kind=SubjectKind.BOOKING,
        subject_id=booking.booking_id,
        customer_id=booking.customer_id,
        provider_id=booking.provider_id,
        provider_owner_id=booking.provider_owner_id,
        last_message_at=at,
        **dict.fromkeys(
            (
                "last_sequence",
                "customer_read_sequence",
                "customer_unread_count",
                "provider_read_sequence",
                "provider_unread_count",
            ),
            0,
        )
        | values,
    )


def side_in(booking: BookingSide, user_id: UUID) -> MessageSide:
    """Return the user's side of the booking; raise BookingNotFound if the user is on neither."""
    if user_id == booking.customer_id:
        return MessageSide.CUSTOMER
    if user_id == booking.provider_owner_id:
        return MessageSide.PROVIDER
    raise not_found()


def not_found() -> BookingNotFound:
    """Return one error for unknown bookings and for those of others, so callers cannot distinguish them."""
    return BookingNotFound("This booking does not exist, or is not yours.")


def writable_until(booking: BookingSide) -> datetime | None:
    """Return when writing about the booking ends; None while nothing ends it, and where it never began."""
    if booking.status in _ALWAYS_OPEN or booking.was_only_held or booking.ended_at is None:
        return None
    return booking.ended_at + WRITABLE_AFTER_END


def can_write(booking: BookingSide, *, now: datetime) -> bool:
    until = writable_until(booking)
    return booking.status in _ALWAYS_OPEN if until is None else now < until


def require_open(booking: BookingSide, *, now: datetime) -> None:
    """Raise MessagingClosed where `can_write` is False."""
    if can_write(booking, now=now):
        return
    until = writable_until(booking)
    if until is None:
        raise MessagingClosed("You can send messages once the booking is requested or confirmed.")
    raise MessagingClosed(f"Messages about this booking closed on {until:%Y-%m-%d %H:%M} UTC.")


def clean_message(text: str) -> str:
    """Return a text as it is stored; raise MessageInvalid."""
    with refused_as(MessageInvalid, "The message", field="text"):
        return require_text(text, most=MESSAGE_MAX_LENGTH)
