"""Messages and read marks: who may write when, what is stored once, and what is announced."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from fairground.contracts.booking import BookingNotFound, BookingSide, BookingStatus
from fairground.contracts.messaging import (
    MESSAGE_MAX_LENGTH,
    ConversationRead,
    MessageInvalid,
    MessageSent,
    MessageSide,
    MessagingClosed,
    ReadMark,
    SubjectKind,
    TooManyMessages,
)
from fairground.kernel.ids import uuid7
from fairground.modules.messaging.domain import WRITABLE_AFTER_END
from fairground.modules.messaging.service.sender import SENDING
from fairground.modules.messaging.tables import ConversationRow, MessageRow
from fairground.platform.measures import Counted
from tests.modules.messaging.rig import Rig
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio

ENDED = (BookingStatus.DECLINED, BookingStatus.CANCELLED, BookingStatus.EXPIRED)
DAY = timedelta(days=1)


async def mark(rig: Rig, booking: BookingSide, reader: Any, sequence: int) -> ReadMark:
    return await rig.messages.mark_read(user_id=reader.id, booking_id=booking.booking_id, sequence=sequence)


async def test_both_sides_write_and_read_one_conversation(rig: Rig) -> None:
    booking = rig.book()
    first = await rig.send(booking, rig.customer, "Is there a piano?")
    second = await rig.send(booking, rig.owner, "There is.\nAnd a stool.")
    assert [(each.sequence, each.side) for each in (first, second)] == [
        (1, MessageSide.CUSTOMER),
        (2, MessageSide.PROVIDER),
    ]
    assert first.created_at <= second.created_at
    for reader in (rig.customer, rig.owner):
        assert await rig.texts(booking, reader) == ["Is there a piano?", "There is.\nAnd a stool."]


async def test_conversation_opens_with_the_first_message(rig: Rig) -> None:
    booking = rig.book()
    assert await rig.texts(booking, rig.owner) == []
    async with rig.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(ConversationRow)) == 0


@pytest.mark.parametrize("status", [BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED])
async def test_both_sides_may_write_about_an_open_booking(rig: Rig, status: BookingStatus) -> None:
    is_over = status is BookingStatus.COMPLETED
    booking = rig.book(status, ended_at=await rig.now() - 400 * DAY if is_over else None)
    for sender in (rig.customer, rig.owner):
        await rig.send(booking, sender)


@pytest.mark.parametrize("status", ENDED)
async def test_both_sides_may_write_for_30_days_after_an_end(rig: Rig, status: BookingStatus) -> None:
    booking = rig.book(status, ended_at=await rig.now() - WRITABLE_AFTER_END + timedelta(minutes=1))
    for sender in (rig.customer, rig.owner):
        await rig.send(booking, sender)
    rig.pass_time(minutes=2)
    for sender in (rig.customer, rig.owner):
        with pytest.raises(MessagingClosed):
            await rig.send(booking, sender)
    assert await rig.texts(booking, rig.owner) == ["Hello", "Hello"], "reading stays possible"


async def test_hold_has_no_messages_while_it_lives_and_after(rig: Rig) -> None:
    holds = [rig.book(BookingStatus.HELD)]
    holds += [rig.book(status, ended_at=await rig.now(), was_only_held=True) for status in ENDED[1:]]
    for booking in holds:
        for sender in (rig.customer, rig.owner):
            with pytest.raises(MessagingClosed):
                await rig.send(booking, sender)
        assert await rig.texts(booking, rig.customer) == []
    async with rig.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(ConversationRow)) == 0


async def test_booking_of_others_and_unknown_booking_are_refused_alike(rig: Rig) -> None:
    booking, stranger = rig.book(), rig.accounts.add("Sam")
    await rig.send(booking, rig.customer)
    unknown = booking.model_copy(update={"booking_id": uuid7()})
    details = set()
    for asked in (booking, unknown):
        for call in (rig.send(asked, stranger), rig.texts(asked, stranger), mark(rig, asked, stranger, 1)):
            with pytest.raises(BookingNotFound) as refused:
                await call
            details.add(refused.value.detail)
    assert len(details) == 1


async def test_message_that_is_sent_again_is_stored_once(rig: Rig, outbox: RecordingOutbox) -> None:
    booking, client_message_id = rig.book(), uuid7()
    first = await rig.send(booking, rig.customer, "Hello", client_message_id=client_message_id)
    again = await rig.send(booking, rig.customer, "Hello, again", client_message_id=client_message_id)
    assert again == first
    other = await rig.send(booking, rig.owner, "Hi", client_message_id=client_message_id)
    assert other.sequence == 2, "ids of the two sides are independent"
    assert await rig.texts(booking, rig.owner) == ["Hello", "Hi"]
    assert len([event for event in outbox.events if isinstance(event, MessageSent)]) == 2


async def test_message_that_is_sent_again_after_the_end_is_returned(rig: Rig) -> None:
    booking, client_message_id = rig.book(), uuid7()
    first = await rig.send(booking, rig.customer, client_message_id=client_message_id)
    long_ago = {"status": BookingStatus.CANCELLED, "ended_at": await rig.now() - 31 * DAY}
    rig.bookings.sides[booking.booking_id] = booking.model_copy(update=long_ago)
    assert await rig.send(booking, rig.customer, client_message_id=client_message_id) == first


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MESSAGE_MAX_LENGTH + 1), "a\x00b"])
async def test_text_that_cannot_be_stored_is_refused_at_its_field(rig: Rig, text: str) -> None:
    booking = rig.book()
    with pytest.raises(MessageInvalid) as refused:
        await rig.send(booking, rig.customer, text)
    assert refused.value.context["field"] == "text"
    assert await rig.texts(booking, rig.customer) == []


async def test_longest_text_of_several_lines_is_stored(rig: Rig) -> None:
    booking, text = rig.book(), "x" * (MESSAGE_MAX_LENGTH - 2) + "\ny"
    await rig.send(booking, rig.customer, text.replace("\n", "\r\n"))
    assert await rig.texts(booking, rig.owner) == [text]


async def test_sender_is_limited_over_all_bookings_and_repeats_are_not_counted(rig: Rig) -> None:
    one, other, client_message_id = rig.book(), rig.book(), uuid7()
    await rig.send(one, rig.customer, client_message_id=client_message_id)
    for _ in range(SENDING.burst):
        await rig.send(one, rig.customer, client_message_id=client_message_id)
    for _ in range(SENDING.burst - 1):
        await rig.send(other, rig.customer)
    with pytest.raises(TooManyMessages) as refused:
        await rig.send(one, rig.customer)
    assert 1 <= refused.value.retry_after_seconds <= SENDING.interval.total_seconds()
    await rig.send(one, rig.owner)
    rig.pass_time(seconds=SENDING.interval.total_seconds() + 1)
    await rig.send(one, rig.customer)


async def test_outcomes_are_counted(rig: Rig) -> None:
    booking = rig.book()
    await rig.send(booking, rig.customer)
    with pytest.raises(MessageInvalid):
        await rig.send(booking, rig.customer, "")
    [measure] = rig.stats.measure()
    assert isinstance(measure, Counted)
    assert dict(measure.counts) == {("sent",): 1, ("messaging.invalid",): 1}


async def test_message_is_announced_to_the_other_side_without_its_text(rig: Rig, outbox: RecordingOutbox) -> None:
    booking = rig.book()
    await rig.send(booking, rig.owner, "The side door is open.")
    [event] = outbox.events
    assert isinstance(event, MessageSent)
    facts = (event.subject_kind, event.subject_id, event.sequence, event.side, event.recipient_id)
    assert facts == (SubjectKind.BOOKING, booking.booking_id, 1, MessageSide.PROVIDER, rig.customer.id)
    assert "side door" not in event.model_dump_json()


async def test_only_messages_of_the_other_side_are_unread(rig: Rig) -> None:
    booking = rig.book()
    for sender in (rig.customer, rig.owner, rig.owner, rig.customer):
        await rig.send(booking, sender)
    assert [await rig.unread(booking, reader) for reader in (rig.customer, rig.owner)] == [2, 2]
    assert await mark(rig, booking, rig.customer, 2) == ReadMark(read_sequence=2, unread_count=1)
    assert [await rig.unread(booking, reader) for reader in (rig.customer, rig.owner)] == [1, 2]


async def test_read_mark_moves_neither_back_nor_beyond_the_last_message(rig: Rig, outbox: RecordingOutbox) -> None:
    booking = rig.book()
    assert await mark(rig, booking, rig.owner, 5) == ReadMark(read_sequence=0, unread_count=0)
    for _ in range(3):
        await rig.send(booking, rig.customer)
    assert await mark(rig, booking, rig.owner, 99) == ReadMark(read_sequence=3, unread_count=0)
    assert await mark(rig, booking, rig.owner, 1) == ReadMark(read_sequence=3, unread_count=0)
    await rig.send(booking, rig.customer)
    assert await rig.unread(booking, rig.owner) == 1, "a mark beyond the end does not hide what comes later"
    read = [event for event in outbox.events if isinstance(event, ConversationRead)]
    assert [(event.reader_id, event.read_sequence) for event in read] == [(rig.owner.id, 3)]


async def test_mark_over_own_messages_announces_nothing(rig: Rig, outbox: RecordingOutbox) -> None:
    booking = rig.book()
    await rig.send(booking, rig.customer)
    assert await mark(rig, booking, rig.customer, 1) == ReadMark(read_sequence=1, unread_count=0)
    assert not [event for event in outbox.events if isinstance(event, ConversationRead)]


async def test_unread_counts_equal_a_recount(rig: Rig) -> None:
    booking = rig.book()
    for turn in range(12):
        await rig.send(booking, rig.owner if turn % 3 else rig.customer)
        if turn % 4 == 0:
            await mark(rig, booking, rig.customer if turn % 8 else rig.owner, turn)
    async with rig.db.read() as tx:
        row = await tx.one_or_none(select(*ConversationRow.__table__.c))
        for side, read in (("customer", row.customer_read_sequence), ("provider", row.provider_read_sequence)):
            recount = select(func.count()).select_from(MessageRow)
            unread = await tx.scalar(recount.where(MessageRow.sequence > read, MessageRow.side != side))
            assert getattr(row, f"{side}_unread_count") == unread
