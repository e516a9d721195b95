"""Writing: messages and read marks, each under the lock of its conversation."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fairground.contracts.booking import Bookings, BookingSide
from fairground.contracts.messaging import (
    ConversationRead,
    MessageSent,
    MessageSide,
    ReadMark,
    SubjectKind,
    ThreadMessage,
    TooManyMessages,
)
from fairground.kernel.errors import DomainError
from fairground.modules.messaging import store
from fairground.modules.messaging.domain import (
    ConversationRecord,
    clean_message,
    new_conversation,
    require_open,
    side_in,
)
from fairground.modules.messaging.service.queries import get_booking_side
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.measures import Counted, Measure

SENDING: Final = Limit("messaging.send", burst=20, interval=timedelta(seconds=10))
"""By sender, over all conversations: a fast typist stays below it, and a program that sends to everyone does not."""


class MessageStats:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a message by how the block ends."""
        try:
            yield
        except DomainError as error:
            self._outcomes[error.code] += 1
            raise
        self._outcomes["sent"] += 1

    def measure(self) -> Iterator[Measure]:
        yield Counted(
            "messages",
            "Messages about bookings by outcome: sent, or the problem code.",
            [((outcome,), count) for outcome, count in list(self._outcomes.items())],
            labels=("outcome",),
        )


class MessageSender:
    def __init__(self, *, db: Database, bookings: Bookings, limiter: RateLimiter, stats: MessageStats) -> None:
        self._db = db
        self._bookings = bookings
        self._limiter = limiter
        self._stats = stats

    async def send_message(
        self, *, sender_id: UUID, booking_id: UUID, text: str, client_message_id: UUID
    ) -> ThreadMessage:
        with self._stats.counted():
            booking = await get_booking_side(self._bookings, booking_id)
            side, text = side_in(booking, sender_id), clean_message(text)
            await self._admit(sender_id)
            async with self._db.write() as tx:
                conversation = await _open_conversation(tx, booking)
                message = await store.find_sent(
                    tx, conversation_id=conversation.id, sender_id=sender_id, client_message_id=client_message_id
                )
                is_repeated = message is not None
                if message is None:
                    message = await _append(
                        tx, conversation, booking, side=side, text=text, client_message_id=client_message_id
                    )
            if is_repeated:
                await self._limiter.give_back(SENDING, key=str(sender_id))
        return message

    async def _admit(self, sender_id: UUID) -> None:
        wait_seconds = await self._limiter.take(SENDING, key=str(sender_id))
        if wait_seconds:
            raise TooManyMessages(
                "You've sent too many messages in a short time.",
                retry_after_seconds=wait_seconds,
                hint=f"Try again in {wait_seconds} seconds.",
            )

    async def mark_read(self, *, user_id: UUID, booking_id: UUID, sequence: int) -> ReadMark:
        side = side_in(await get_booking_side(self._bookings, booking_id), user_id)
        async with self._db.read() as tx:
            conversation = await store.find_conversation(tx, kind=SubjectKind.BOOKING, subject_id=booking_id)
        if conversation is None:
            return ReadMark(read_sequence=0, unread_count=0)
        if min(sequence, conversation.last_sequence) <= conversation.read_sequence(side):
            return _mark_of(conversation, side)
        async with self._db.write() as tx:
            return await _move_mark(tx, booking_id, side=side, sequence=sequence)


async def _open_conversation(tx: WriteTx, booking: BookingSide) -> ConversationRecord:
    """Return the locked conversation about a booking, a new one where this is the first message."""
    subject: dict[str, Any] = {"kind": SubjectKind.BOOKING, "subject_id": booking.booking_id}
    conversation = await store.lock_conversation(tx, **subject)
    if conversation is None:
        # Where another sender has just inserted it, the lock waits for that transaction.
        await store.insert_conversation(tx, new_conversation(booking, at=await tx.current_time()))
        conversation = await store.lock_conversation(tx, **subject)
    if conversation is None:
        raise LookupError(f"The conversation about booking {booking.booking_id} was inserted and is not there.")
    return conversation


async def _append(
    tx: WriteTx,
    conversation: ConversationRecord,
    booking: BookingSide,
    *,
    side: MessageSide,
    text: str,
    client_message_id: UUID,
) -> ThreadMessage:
    """Give a message the next sequence of a locked conversation, and announce it."""
    # After the wait for the lock, so that times are in the order of the sequences.
    now = await tx.current_time()
    require_open(booking, now=now)
    message = ThreadMessage(
        sequence=conversation.last_sequence + 1,
        side=side,
        client_message_id=client_message_id,
        text=text,
        created_at=max(now, conversation.last_message_at),
    )
    await store.insert_message(tx, message, conversation_id=conversation.id, sender_id=conversation.user_on(side))
    await store.note_message(tx, message, conversation_id=conversation.id)
    await tx.emit(
        MessageSent(
            conversation_id=conversation.id,
            subject_kind=conversation.subject_kind,
            subject_id=conversation.subject_id,
            sequence=message.sequence,
            side=side,
            recipient_id=conversation.user_on(side.other),
        )
    )
    return message


async def _move_mark(tx: WriteTx, booking_id: UUID, *, side: MessageSide, sequence: int) -> ReadMark:
    conversation = await store.lock_conversation(tx, kind=SubjectKind.BOOKING, subject_id=booking_id)
    if conversation is None:
        return ReadMark(read_sequence=0, unread_count=0)
    sequence = min(sequence, conversation.last_sequence)
    if sequence <= conversation.read_sequence(side):
        return _mark_of(conversation, side)
    unread = await store.set_read_sequence(tx, conversation_id=conversation.id, side=side, sequence=sequence)
    if unread < conversation.unread_count(side):
        await tx.emit(
            ConversationRead(
                conversation_id=conversation.id,
                subject_kind=conversation.subject_kind,
                subject_id=conversation.subject_id,
                reader_id=conversation.user_on(side),
                read_sequence=sequence,
            )
        )
    return ReadMark(read_sequence=sequence, unread_count=unread)


def _mark_of(conversation: ConversationRecord, side: MessageSide) -> ReadMark:
    return ReadMark(read_sequence=conversation.read_sequence(side), unread_count=conversation.unread_count(side))
