"""Messages that were written elsewhere and come along with their bookings."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fairground.contracts.booking import Bookings, BookingSide
from fairground.contracts.messaging import MessageSide, PastThread, SubjectKind, ThreadMessage
from fairground.kernel.ids import uuid7
from fairground.modules.messaging import store
from fairground.modules.messaging.domain import ConversationRecord, clean_message, new_conversation, not_found
from fairground.platform.db.database import Database

_MessageValues = Mapping[str, Any]


class _Overtaken(Exception):
    """Another transaction has opened one of the conversations since this one looked."""


class PastThreads:
    def __init__(self, *, db: Database, bookings: Bookings) -> None:
        self._db = db
        self._bookings = bookings

    async def record_past_threads(self, *, threads: Sequence[PastThread]) -> None:
        ids = {thread.booking_id for thread in threads}
        bookings = await self._bookings.find_booking_sides(booking_ids=ids)
        if ids - bookings.keys():
            raise not_found()
        written = {each.booking_id: _past_thread(each, bookings[each.booking_id]) for each in threads if each.messages}
        while not await self._record(written):
            # Another transaction has opened one of the conversations; the next attempt skips it.
            pass

    async def _record(self, written: Mapping[UUID, tuple[ConversationRecord, Sequence[_MessageValues]]]) -> bool:
        try:
            async with self._db.write() as tx:
                known = await store.find_subjects(tx, kind=SubjectKind.BOOKING, subject_ids=written.keys())
                new = [thread for booking_id, thread in written.items() if booking_id not in known]
                conversations = [conversation for conversation, _ in new]
                rows = [row for _, messages in new for row in messages]
                if not await store.insert_threads(tx, conversations=conversations, messages=rows):
                    raise _Overtaken
        except _Overtaken:
            return False
        return True


def _past_thread(thread: PastThread, booking: BookingSide) -> tuple[ConversationRecord, Sequence[_MessageValues]]:
    """Return a conversation with the rows of its messages; raise MessageInvalid."""
    last = len(thread.messages)
    values: dict[str, int] = {"last_sequence": last}
    for side in MessageSide:
        own = [number for number, message in enumerate(thread.messages, 1) if message.side is side]
        read = last if thread.is_read else max(own, default=0)
        values[f"{side}_read_sequence"] = read
        values[f"{side}_unread_count"] = sum(message.side is side.other for message in thread.messages[read:])
    conversation = new_conversation(booking, at=thread.messages[-1].written_at, **values)
    rows = [
        store.message_row(
            ThreadMessage(
                sequence=number,
                side=message.side,
                client_message_id=uuid7(),
                text=clean_message(message.text),
                created_at=message.written_at,
            ),
            conversation_id=conversation.id,
            sender_id=conversation.user_on(message.side),
        )
        for number, message in enumerate(thread.messages, 1)
    ]
    return conversation, rows
