"""Concurrent senders: sequences have no gaps, and a message that is sent several times at once is stored once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import pytest
from sqlalchemy import func, select

from fairground.contracts.booking import Bookings, BookingSide
from fairground.contracts.messaging import ThreadMessage
from fairground.kernel.ids import uuid7
from fairground.modules.messaging import store
from fairground.modules.messaging.service.sender import MessageSender, MessageStats
from fairground.modules.messaging.tables import ConversationRow, MessageRow
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from tests.modules.messaging.rig import Rig
from tests.support.rushes import rush

pytestmark = pytest.mark.anyio

SENDERS: Final = 16
ROUNDS: Final = 3
OVERTAKING: Final = 4  # fewer than connections of the pool, because each waits inside its transaction

Send = Callable[..., Awaitable[ThreadMessage]]


class GatheringLimiter(RateLimiter):
    """Lets all senders go on at the same moment, just before their transactions."""

    def __init__(self, rig: Rig, *, parties: int) -> None:
        super().__init__(rig.db)
        self._barrier = asyncio.Barrier(parties)

    async def take(self, limit: Limit, *, key: str) -> int:
        wait_seconds = await super().take(limit, key=key)
        await self._barrier.wait()
        return wait_seconds


def sender_of(rig: Rig, *, parties: int) -> MessageSender:
    limiter = GatheringLimiter(rig, parties=parties)
    return MessageSender(db=rig.db, bookings=cast("Bookings", rig.bookings), limiter=limiter, stats=MessageStats())


def sends(rig: Rig, booking: BookingSide, *, count: int) -> list[Awaitable[ThreadMessage]]:
    sender = sender_of(rig, parties=count)
    users = (rig.customer, rig.owner)
    return [
        sender.send_message(
            sender_id=users[number % 2].id,
            booking_id=booking.booking_id,
            text=f"Message {number}",
            client_message_id=uuid7(),
        )
        for number in range(count)
    ]


async def test_concurrent_senders_get_the_sequences_one_to_n(rig: Rig) -> None:
    for _ in range(ROUNDS):
        booking = rig.book()
        sent = await asyncio.gather(*sends(rig, booking, count=SENDERS))
        assert sorted(message.sequence for message in sent) == list(range(1, SENDERS + 1))
        by_sequence = sorted(sent, key=lambda message: message.sequence)
        assert await rig.texts(booking, rig.customer) == [message.text for message in by_sequence]
        times = [message.created_at for message in by_sequence]
        assert times == sorted(times)
        assert [await rig.unread(booking, reader) for reader in (rig.customer, rig.owner)] == [SENDERS // 2] * 2
        rig.pass_time(hours=1)
    async with rig.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(ConversationRow)) == ROUNDS


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no lock on a row
async def test_control_without_the_lock_concurrent_messages_are_lost(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = rig.book()
    await rig.send(booking, rig.customer, "first")
    find, have_read = store.find_sent, asyncio.Barrier(OVERTAKING)

    async def find_after_all_have_read(*asked: Any, **more: Any) -> ThreadMessage | None:
        found = await find(*asked, **more)
        await have_read.wait()
        return found

    monkeypatch.setattr(store, "lock_conversation", store.find_conversation)
    monkeypatch.setattr(store, "find_sent", find_after_all_have_read)
    outcome = await rush(sends(rig, booking, count=OVERTAKING))
    assert outcome.won == 1
    assert sum(outcome.refused.values()) == OVERTAKING - 1
    assert len(await rig.texts(booking, rig.customer)) == 2


async def test_message_that_is_sent_at_once_several_times_is_stored_once(rig: Rig) -> None:
    booking, client_message_id = rig.book(), uuid7()
    sender = sender_of(rig, parties=SENDERS)
    sent = await asyncio.gather(
        *(
            sender.send_message(
                sender_id=rig.customer.id,
                booking_id=booking.booking_id,
                text=f"Attempt {number}",
                client_message_id=client_message_id,
            )
            for number in range(SENDERS)
        )
    )
    assert len(set(sent)) == 1
    assert await rig.texts(booking, rig.owner) == [sent[0].text]


async def test_unread_counts_equal_a_recount_after_concurrent_sends_and_reads(rig: Rig) -> None:
    booking = rig.book()
    await rig.send(booking, rig.owner)
    marks = [
        rig.messages.mark_read(user_id=rig.customer.id, booking_id=booking.booking_id, sequence=sequence)
        for sequence in range(1, SENDERS)
    ]
    await asyncio.gather(*sends(rig, booking, count=SENDERS), *marks)
    async with rig.db.read() as tx:
        row = await tx.one_or_none(select(*ConversationRow.__table__.c))
        after = (MessageRow.side == "provider", MessageRow.sequence > row.customer_read_sequence)
        recount = await tx.scalar(select(func.count()).select_from(MessageRow).where(*after))
    assert row.last_sequence == SENDERS + 1
    assert row.customer_unread_count == recount
