"""JSON routes of messaging."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.messaging import (
    MESSAGE_MAX_LENGTH,
    ConversationPage,
    Messages,
    ReadMark,
    Thread,
    ThreadMessage,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, Input, text_field
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router

_SEQUENCE_MAX = 2**53 - 1  # the largest integer that every JSON parser reads exactly


class MessageIn(Input):
    text: str = text_field(most=MESSAGE_MAX_LENGTH)
    client_message_id: UUID | None = Field(
        None,
        description="A UUID of your own for this message: sending it again returns the first message.",
    )


class ReadIn(Input):
    sequence: int = Field(ge=0, le=_SEQUENCE_MAX, description="Of the last message that was read.")


class ThreadQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    after: int | None = Field(
        None,
        ge=0,
        le=_SEQUENCE_MAX,
        description="The sequence before the first message; 0 begins with the first. Unset: the newest messages.",
    )
    limit: int = Field(50, ge=1, le=200)


def routes(messages: Messages) -> APIRouter:
    router = api_router(tags=["messages"])

    @router.get("/bookings/{booking_id}/messages")
    async def get_thread(booking_id: UUID, query: Annotated[ThreadQuery, Query()], caller: SignedIn) -> Thread:
        """List the messages about one of your bookings, oldest first.

        Returns the newest ones without `after`. Sequence numbers have no gaps: `?after={last_sequence}` returns new
        messages, and `?after=0&limit=50` the page before message 51. Messages are not marked as read.
        """
        return await messages.get_thread(
            user_id=caller.user_id, booking_id=booking_id, after=query.after, limit=query.limit
        )

    @router.post("/bookings/{booking_id}/messages", status_code=201)
    async def send_message(booking_id: UUID, body: MessageIn, caller: SignedIn) -> ThreadMessage:
        """Send a message about a booking, such as `{"text": "Is there a piano?"}`.

        The first message opens the conversation. You can send messages while the booking is requested, confirmed or
        completed, and for 30 days after it was declined, cancelled or expired, but not about a hold. The limit is 20
        messages at once, then one every 10 seconds.
        """
        return await messages.send_message(
            sender_id=caller.user_id,
            booking_id=booking_id,
            text=body.text,
            client_message_id=body.client_message_id or uuid7(),
        )

    @router.put("/bookings/{booking_id}/messages/read")
    async def mark_messages_read(booking_id: UUID, body: ReadIn, caller: SignedIn) -> ReadMark:
        """Mark messages as read up to one of them, such as `{"sequence": 7}`. A mark never moves back."""
        return await messages.mark_read(user_id=caller.user_id, booking_id=booking_id, sequence=body.sequence)

    @router.get("/me/conversations")
    async def list_conversations(
        caller: SignedIn,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[
            str | None, Query(max_length=CURSOR_MAX_LENGTH, description="`next_cursor` of the page before.")
        ] = None,
    ) -> ConversationPage:
        """List your conversations as customer and provider, newest message first."""
        return await messages.list_conversations(user_id=caller.user_id, limit=limit, cursor=cursor)

    return router
