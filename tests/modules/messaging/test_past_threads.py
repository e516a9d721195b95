"""Messages that came along with their bookings keep their dates, and notify none."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fairground.contracts.booking import BookingNotFound, BookingSide
from fairground.contracts.messaging import MessageInvalid, MessageSide, PastMessage, PastThread
from fairground.kernel.ids import uuid7
from tests.modules.messaging.rig import Rig
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio

WRITTEN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUSTOMER, PROVIDER = MessageSide.CUSTOMER, MessageSide.PROVIDER


def thread(booking: BookingSide, *texts: tuple[MessageSide, str], is_read: bool = True) -> PastThread:
    messages = [
        PastMessage(side=side, text=text, written_at=WRITTEN_AT + timedelta(hours=hours))
        for hours, (side, text) in enumerate(texts)
    ]
    return PastThread(booking_id=booking.booking_id, messages=messages, is_read=is_read)


async def test_past_threads_keep_their_dates_and_are_stored_once(rig: Rig, outbox: RecordingOutbox) -> None:
    booking = rig.book()
    past = [thread(booking, (CUSTOMER, "Is there a piano?"), (PROVIDER, "There is."))]
    await rig.messages.record_past_threads(threads=past)
    await rig.messages.record_past_threads(threads=past)
    found = await rig.messages.get_thread(user_id=rig.owner.id, booking_id=booking.booking_id, limit=10)
    assert [(each.sequence, each.text, each.created_at) for each in found.data] == [
        (1, "Is there a piano?", WRITTEN_AT),
        (2, "There is.", WRITTEN_AT + timedelta(hours=1)),
    ]
    assert (found.read_sequence, found.unread_count) == (2, 0)
    assert outbox.events == []
    assert (await rig.send(booking, rig.customer, "Thank you!")).sequence == 3


async def test_unread_past_messages_are_those_after_the_last_own_one(rig: Rig) -> None:
    booking = rig.book()
    texts = [(CUSTOMER, "Hello"), (PROVIDER, "Hi"), (CUSTOMER, "When?"), (CUSTOMER, "And where?")]
    await rig.messages.record_past_threads(threads=[thread(booking, *texts, is_read=False)])
    assert [await rig.unread(booking, reader) for reader in (rig.customer, rig.owner)] == [0, 2]


async def test_one_refused_thread_refuses_all_of_them(rig: Rig) -> None:
    booking = rig.book()
    unknown = booking.model_copy(update={"booking_id": uuid7()})
    good = thread(booking, (CUSTOMER, "Hello"))
    refused = [
        (thread(unknown, (CUSTOMER, "?")), BookingNotFound),
        (thread(rig.book(), (CUSTOMER, "")), MessageInvalid),
    ]
    for bad, refusal in refused:
        with pytest.raises(refusal):
            await rig.messages.record_past_threads(threads=[good, bad])
        assert await rig.texts(booking, rig.customer) == []


async def test_concurrent_records_of_the_same_threads_store_each_once(rig: Rig) -> None:
    bookings = [rig.book() for _ in range(5)]
    past = [thread(booking, (CUSTOMER, "Hello"), (PROVIDER, "Hi")) for booking in bookings]
    await asyncio.gather(*(rig.messages.record_past_threads(threads=past) for _ in range(4)))
    for booking in bookings:
        assert await rig.texts(booking, rig.owner) == ["Hello", "Hi"]
