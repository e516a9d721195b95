"""Threads and the inbox: what each side sees, in which order, page by page."""

import re
from datetime import timedelta

import pytest

from fairground.contracts.booking import BookingStatus
from fairground.contracts.messaging import ConversationSubject, MessageSide
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CursorInvalid
from fairground.modules.messaging.domain import WRITABLE_AFTER_END
from tests.modules.messaging.rig import STARTS_AT, Rig
from tests.support.statements import explain, statements_of, without_scans

pytestmark = pytest.mark.anyio


async def test_thread_begins_after_a_sequence_or_ends_with_the_newest(rig: Rig) -> None:
    booking = rig.book()
    for number in range(1, 8):
        await rig.send(booking, rig.customer, str(number))
    assert await rig.texts(booking, rig.owner, limit=3) == ["5", "6", "7"]
    assert await rig.texts(booking, rig.owner, after=0, limit=3) == ["1", "2", "3"]
    assert await rig.texts(booking, rig.owner, after=5) == ["6", "7"]
    assert await rig.texts(booking, rig.owner, after=7) == []
    thread = await rig.messages.get_thread(user_id=rig.owner.id, booking_id=booking.booking_id, after=7, limit=3)
    assert (thread.side, thread.last_sequence, thread.read_sequence, thread.unread_count) == (
        MessageSide.PROVIDER,
        7,
        0,
        7,
    )


async def test_thread_says_until_when_can_be_written(rig: Rig) -> None:
    ended_at = await rig.now() - timedelta(days=29)
    expected = {
        rig.book(BookingStatus.CONFIRMED).booking_id: (True, None),
        rig.book(BookingStatus.COMPLETED, ended_at=ended_at).booking_id: (True, None),
        rig.book(BookingStatus.HELD).booking_id: (False, None),
        rig.book(BookingStatus.EXPIRED, ended_at=ended_at, was_only_held=True).booking_id: (False, None),
        rig.book(BookingStatus.DECLINED, ended_at=ended_at).booking_id: (True, ended_at + WRITABLE_AFTER_END),
    }
    for booking_id, said in expected.items():
        thread = await rig.messages.get_thread(user_id=rig.customer.id, booking_id=booking_id, limit=1)
        assert (thread.can_write, thread.writable_until) == said


async def test_inbox_shows_both_sides_of_a_user_with_the_newest_message_first(rig: Rig) -> None:
    """Maya, who provides, books others as well."""
    as_provider, as_customer = rig.book(), rig.book(customer=rig.owner)
    colleague = rig.accounts.add("Ada")
    rig.bookings.sides[as_customer.booking_id] = as_customer = as_customer.model_copy(
        update={"provider_owner_id": colleague.id}
    )
    await rig.send(as_customer, colleague, "See you on Friday.")
    await rig.send(as_provider, rig.customer, "Is there a piano?")
    page = await rig.messages.list_conversations(user_id=rig.owner.id, limit=10)
    assert [(each.side, each.other_name, each.last_message.text, each.unread_count) for each in page.data] == [
        (MessageSide.PROVIDER, "Nora Lind", "Is there a piano?", 1),
        (MessageSide.CUSTOMER, "Maya & the Tides", "See you on Friday.", 1),
    ]
    assert page.data[0].subject == ConversationSubject(
        service_name="Evening set", starts_at=STARTS_AT, timezone="Europe/Oslo"
    )
    assert (page.unread_count, page.next_cursor) == (2, None)
    await rig.send(as_customer, rig.owner, "Yes!")
    page = await rig.messages.list_conversations(user_id=rig.owner.id, limit=10)
    assert [each.last_message.text for each in page.data] == ["Yes!", "Is there a piano?"]
    assert await rig.messages.count_unread(user_id=rig.customer.id) == 0
    assert (await rig.messages.list_conversations(user_id=uuid7(), limit=10)).data == []


async def test_inbox_pages_lead_through_all_conversations_once(rig: Rig) -> None:
    bookings = [rig.book() for _ in range(5)]
    for booking in bookings:
        await rig.send(booking, rig.customer)
    seen, cursor = [], None
    while True:
        page = await rig.messages.list_conversations(user_id=rig.owner.id, limit=2, cursor=cursor)
        seen += [each.subject_id for each in page.data]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [booking.booking_id for booking in reversed(bookings)]
    with pytest.raises(CursorInvalid):
        await rig.messages.list_conversations(user_id=rig.owner.id, limit=2, cursor="none")


async def test_message_is_found_with_what_its_recipient_has_read(rig: Rig) -> None:
    booking = rig.book()
    await rig.send(booking, rig.customer, "one")
    await rig.send(booking, rig.owner, "two")
    await rig.messages.mark_read(user_id=rig.customer.id, booking_id=booking.booking_id, sequence=1)
    [entry] = (await rig.messages.list_conversations(user_id=rig.owner.id, limit=1)).data
    found = await rig.messages.find_message(conversation_id=entry.id, sequence=2)
    assert found is not None
    assert (found.message.text, found.recipient_id, found.recipient_read_sequence) == ("two", rig.customer.id, 1)
    assert await rig.messages.find_message(conversation_id=entry.id, sequence=3) is None
    assert await rig.messages.find_message(conversation_id=uuid7(), sequence=1) is None


async def test_threads_and_inbox_read_indexes(rig: Rig) -> None:
    booking = rig.book()
    for asked in (booking, booking, rig.book()):
        await rig.send(asked, rig.customer)
    page = await rig.messages.list_conversations(user_id=rig.owner.id, limit=1)
    with statements_of(rig.db) as statements:
        await rig.messages.get_thread(user_id=rig.owner.id, booking_id=booking.booking_id, after=1, limit=10)
        await rig.messages.list_conversations(user_id=rig.owner.id, limit=1, cursor=page.next_cursor)
    plans = [explain(rig.db, each, preparing=without_scans(rig.db)) for each in statements if "messaging_" in each[0]]
    subject, messages, ids, _, unread = plans
    assert any(name in subject for name in ("uq_messaging_conversation", "autoindex_messaging_conversation"))
    assert any(name in messages for name in ("pk_messaging_message", "autoindex_messaging_message"))
    assert not {word for word in ("Sort", "B-TREE") if word in messages}
    for side in ("customer_id", "provider_owner_id"):
        assert f"ix_messaging_conversation__{side}_last_message_at_id" in ids
    for side in ("customer", "provider"):
        assert f"ix_messaging_conversation__{side}_unread" in unread
    assert not {word for word in ("SCAN messaging", "Seq Scan") if word in "".join(plans)}, plans


async def test_page_of_the_inbox_sorts_no_more_than_two_pages(rig: Rig) -> None:
    """The conversations of each side come in the order of their index and end after a page."""
    with statements_of(rig.db) as statements:
        await rig.messages.list_conversations(user_id=rig.owner.id, limit=1)
    plan = explain(rig.db, statements[0], preparing=without_scans(rig.db))
    if rig.db.backend.ops.name == "sqlite":
        # Only the page that a branch has found is sorted, not what it finds it in.
        assert len(re.findall(r"SEARCH messaging_conversation .*\nSCAN anon_\d\nUSE TEMP B-TREE", plan)) == 2, plan
    else:
        assert plan.partition("Append")[2].count("Limit") == 2, plan
        assert "Sort  (" not in plan, plan
