"""Reading: conversations for one of their sides, the inbox, and messages for mails."""

from collections.abc import Mapping
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Booking, Bookings, BookingSide
from fairground.contracts.messaging import (
    AddressedMessage,
    Conversation,
    ConversationPage,
    ConversationSubject,
    MessageSide,
    SubjectKind,
    Thread,
    ThreadMessage,
)
from fairground.kernel.inputs import TimeCursor
from fairground.modules.messaging import store
from fairground.modules.messaging.domain import (
    ConversationRecord,
    can_write,
    new_conversation,
    not_found,
    side_in,
    writable_until,
)
from fairground.platform.db.database import Database


class MessageQueries:
    def __init__(self, *, db: Database, bookings: Bookings, accounts: Accounts) -> None:
        self._db = db
        self._bookings = bookings
        self._accounts = accounts

    async def get_thread(self, *, user_id: UUID, booking_id: UUID, after: int | None = None, limit: int) -> Thread:
        booking = await get_booking_side(self._bookings, booking_id)
        side = side_in(booking, user_id)
        async with self._db.read() as tx:
            now = await tx.current_time()
            found = await store.find_conversation(tx, kind=SubjectKind.BOOKING, subject_id=booking_id)
            conversation = found or new_conversation(booking, at=now)
            begin = max(0, conversation.last_sequence - limit) if after is None else after
            messages = (
                await store.list_messages(tx, conversation_id=conversation.id, after=begin, limit=limit)
                if begin < conversation.last_sequence
                else []
            )
        return Thread(
            side=side,
            data=messages,
            # A message that was committed between the two statements may be the last one.
            last_sequence=max([conversation.last_sequence, *(message.sequence for message in messages)]),
            read_sequence=conversation.read_sequence(side),
            unread_count=conversation.unread_count(side),
            can_write=can_write(booking, now=now),
            writable_until=writable_until(booking),
        )

    async def list_conversations(self, *, user_id: UUID, limit: int, cursor: str | None = None) -> ConversationPage:
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_conversations(tx, user_id=user_id, after=after, limit=limit + 1)
            unread = await store.count_unread(tx, user_id=user_id)
        shown = found[:limit]
        last = shown[-1][0] if len(found) > limit else None
        end = None if last is None else TimeCursor(at=last.last_message_at, id=last.id)
        bookings = await self._bookings.describe_bookings(booking_ids=[record.subject_id for record, _ in shown])
        users = await self._accounts.find_users(user_ids={record.customer_id for record, _ in shown})
        names = {user.id: user.name for user in users.values()}
        return ConversationPage(
            data=[
                _entry(record, message, user_id=user_id, booking=bookings.get(record.subject_id), names=names)
                for record, message in shown
            ],
            next_cursor=None if end is None else end.write(),
            unread_count=unread,
        )

    async def count_unread(self, *, user_id: UUID) -> int:
        async with self._db.read() as tx:
            return await store.count_unread(tx, user_id=user_id)

    async def find_message(self, *, conversation_id: UUID, sequence: int) -> AddressedMessage | None:
        async with self._db.read() as tx:
            conversation = await store.get_conversation(tx, conversation_id)
            found = await store.list_messages(tx, conversation_id=conversation_id, after=sequence - 1, limit=1)
        if conversation is None or not found or found[0].sequence != sequence:
            return None
        recipient = found[0].side.other
        return AddressedMessage(
            message=found[0],
            recipient_id=conversation.user_on(recipient),
            recipient_read_sequence=conversation.read_sequence(recipient),
        )

    async def count_messages(self, *, booking_id: UUID) -> int:
        async with self._db.read() as tx:
            found = await store.find_conversation(tx, kind=SubjectKind.BOOKING, subject_id=booking_id)
        # Sequences have no gaps.
        return 0 if found is None else found.last_sequence


def _entry(
    record: ConversationRecord,
    message: ThreadMessage,
    *,
    user_id: UUID,
    booking: Booking | None,
    names: Mapping[UUID, str],
) -> Conversation:
    side = record.side_of(user_id)
    provider_name = booking.provider_name if booking else ""
    return Conversation(
        id=record.id,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        subject=None
        if booking is None
        else ConversationSubject(
            service_name=booking.service_name, starts_at=booking.starts_at, timezone=booking.timezone
        ),
        side=side,
        other_name=provider_name if side is MessageSide.CUSTOMER else names.get(record.customer_id, ""),
        last_message=message,
        unread_count=record.unread_count(side),
    )


async def get_booking_side(bookings: Bookings, booking_id: UUID) -> BookingSide:
    """Return the sides of a booking; raise BookingNotFound."""
    booking = await bookings.find_booking_side(booking_id=booking_id)
    if booking is None:
        raise not_found()
    return booking
