"""The messages of a booking as its page shows them: one page of the thread, which opening marks as read."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from starlette.requests import Request

from fairground.contracts.messaging import Messages, Thread, ThreadMessage
from fairground.kernel.ids import uuid7
from fairground.web.addresses import read_number

THREAD_PAGE_LENGTH: Final = 50
_SEQUENCE_MAX: Final = 2**53 - 1


@dataclass(frozen=True)
class ShownThread:
    """A page of a thread."""

    thread: Thread
    form_id: UUID = field(default_factory=uuid7)
    """Makes a form that is sent twice one message."""

    @property
    def messages(self) -> list[ThreadMessage]:
        return self.thread.data

    @property
    def has_earlier(self) -> bool:
        return bool(self.messages) and self.messages[0].sequence > 1

    @property
    def is_newest(self) -> bool:
        return not self.messages or self.messages[-1].sequence == self.thread.last_sequence

    def is_unread(self, message: ThreadMessage) -> bool:
        """Return whether the reader sees a message of the other side for the first time."""
        return message.side is not self.thread.side and message.sequence > self.thread.read_sequence


async def open_thread(messages: Messages, request: Request, *, user_id: UUID, booking_id: UUID) -> ShownThread:
    """Return the newest messages, or those before the sequence in the address, and mark what is shown as read."""
    before = read_number(request.query_params.get("before"), most=_SEQUENCE_MAX)
    if before is None:
        after, limit = None, THREAD_PAGE_LENGTH
    else:
        after = max(0, before - 1 - THREAD_PAGE_LENGTH)
        limit = max(1, before - 1 - after)
    thread = await messages.get_thread(user_id=user_id, booking_id=booking_id, after=after, limit=limit)
    await mark_shown(messages, thread, user_id=user_id, booking_id=booking_id)
    return ShownThread(thread)


async def mark_shown(messages: Messages, thread: Thread, *, user_id: UUID, booking_id: UUID) -> None:
    """Mark messages as read where one of the other side is unread."""
    if thread.data and thread.unread_count:
        await messages.mark_read(user_id=user_id, booking_id=booking_id, sequence=thread.data[-1].sequence)
