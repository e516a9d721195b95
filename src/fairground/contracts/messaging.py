"""Messaging: the conversation of the two sides of a booking.

The messages of a conversation are numbered 1, 2, 3, … without gaps, in the order in which they were stored. A reader
who knows the last number knows whether anything is missing.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, LimitExceeded
from fairground.kernel.messages import Event

MESSAGE_MAX_LENGTH: Final = 4_000


class SubjectKind(StrEnum):
    """What a conversation is about."""

    BOOKING = "booking"


class MessageSide(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"

    @property
    def other(self) -> "MessageSide":
        return MessageSide.PROVIDER if self is MessageSide.CUSTOMER else MessageSide.CUSTOMER


class ThreadMessage(DTO):
    sequence: int
    """The number of the message in its conversation, from 1 on."""
    side: MessageSide
    """The side that wrote it."""
    client_message_id: UUID
    """As its sender chose it."""
    text: str
    """One or more lines, separated by U+000A."""
    created_at: datetime


class Thread(DTO):
    """Messages of a conversation in their order, as one of its sides sees them."""

    side: MessageSide
    """The reader's own side."""
    data: list[ThreadMessage]
    last_sequence: int
    """The number of the newest message; 0 before the first one."""
    read_sequence: int
    """Up to where the reader has marked messages as read."""
    unread_count: int
    """The messages of the other side after `read_sequence`."""
    can_write: bool
    writable_until: datetime | None
    """When writing ends, or has ended; None while nothing ends it, and where nothing can be written yet."""


class ReadMark(DTO):
    read_sequence: int
    unread_count: int


class ConversationSubject(DTO):
    """The booking that a conversation is about."""

    service_name: str
    starts_at: datetime
    timezone: str


class Conversation(DTO):
    """A conversation in the inbox of one of its sides."""

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    """Of a booking: `GET /api/v1/bookings/{subject_id}/messages` returns the messages."""
    subject: ConversationSubject | None
    """None when the booking cannot be read."""
    side: MessageSide
    """The reader's own side."""
    other_name: str
    """The customer's name, or the provider's."""
    last_message: ThreadMessage
    unread_count: int


class ConversationPage(DTO):
    data: list[Conversation]
    next_cursor: str | None
    """None when nothing follows."""
    unread_count: int
    """The unread messages of all conversations."""


class AddressedMessage(DTO):
    """A message with what its recipient has read, for a notification about it."""

    message: ThreadMessage
    recipient_id: UUID
    recipient_read_sequence: int


class PastMessage(DTO):
    side: MessageSide
    text: str
    written_at: datetime


class PastThread(DTO):
    """Messages about a booking that were written elsewhere, the oldest first."""

    booking_id: UUID
    messages: list[PastMessage]
    is_read: bool = True
    """False leaves unread what the other side wrote after a side's own last message."""


class MessagingClosed(Conflict):
    """Nothing can be written about this booking: it is only held, or it ended too long ago."""

    code = "messaging.closed"
    hint = "See `can_write` and `writable_until` of GET /api/v1/bookings/{id}/messages."


class MessageInvalid(Invalid):
    """The text is empty, longer than 4,000 characters, or has a character that a message may not have."""

    code = "messaging.invalid"


class TooManyMessages(LimitExceeded):
    """The sender has written too many messages within a short time, over all bookings."""

    code = "messaging.too_many_messages"


class MessageSent(Event):
    """One side has written a message. Its text is read from `Messages`; a sequence exists once, so repeats are safe."""

    topic: ClassVar = "messaging.message_sent.v1"
    conversation_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    sequence: int
    side: MessageSide
    """The side that wrote it."""
    recipient_id: UUID


class ConversationRead(Event):
    """One side has read messages that were unread. The sequence only grows, so late and double delivery is safe."""

    topic: ClassVar = "messaging.conversation_read.v1"
    conversation_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    reader_id: UUID
    read_sequence: int


class Messages(Protocol):
    """Users on neither side of a booking get BookingNotFound from each call, as for a booking that does not exist."""

    async def send_message(
        self, *, sender_id: UUID, booking_id: UUID, text: str, client_message_id: UUID
    ) -> ThreadMessage:
        """Write a message to the other side. The first one opens the conversation.

        Repeating a `client_message_id` of the same sender returns the first message, whatever the text is.

        Raises:
            BookingNotFound
            MessagingClosed: The booking is only held, or was; or it was declined, cancelled or expired more than 30
                days ago.
            MessageInvalid: The text is empty, has more than 4,000 characters, or `kernel.text` refuses it.
            TooManyMessages: The sender wrote 20 messages within a short time; one more is admitted every 10 s.
        """
        ...

    async def get_thread(self, *, user_id: UUID, booking_id: UUID, after: int | None = None, limit: int) -> Thread:
        """Return messages in their order.

        Args:
            after: The sequence before the first message; None returns the newest messages.

        Raises:
            BookingNotFound
        """
        ...

    async def mark_read(self, *, user_id: UUID, booking_id: UUID, sequence: int) -> ReadMark:
        """Mark everything up to a sequence as read; a mark never moves back, and never beyond the last message.

        Raises:
            BookingNotFound
        """
        ...

    async def list_conversations(self, *, user_id: UUID, limit: int, cursor: str | None = None) -> ConversationPage:
        """Return the user's conversations on both sides, that with the newest message first.

        Args:
            cursor: `next_cursor` of the page before.

        Raises:
            CursorInvalid
        """
        ...

    async def count_unread(self, *, user_id: UUID) -> int:
        """Return the number of unread messages in all conversations of the user."""
        ...

    async def find_message(self, *, conversation_id: UUID, sequence: int) -> AddressedMessage | None:
        """Return a message without asking for a side, for mails about it."""
        ...

    async def count_messages(self, *, booking_id: UUID) -> int:
        """Return how many messages both sides of a booking have sent."""
        ...

    async def record_past_threads(self, *, threads: Sequence[PastThread]) -> None:
        """Store up to 500 messages with their own dates, and notify none; a booking with a conversation is skipped.

        Raises:
            BookingNotFound, MessageInvalid: None was stored.
        """
        ...
