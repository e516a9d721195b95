"""A message is mailed once, unless its recipient reads it at once; unread ones are mailed again after an hour."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fairground.contracts.booking import BookingView
from fairground.contracts.messaging import MessageSent
from fairground.modules.notifications.domain import (
    MESSAGE_MAIL_DELAY,
    MESSAGE_MAIL_PAUSE,
    MESSAGE_QUOTE_MAX_LENGTH,
    UnreadStretch,
    next_stretch,
    quote,
)
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body, subject

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def booking(rig: Rig) -> BookingView:
    booking = await rig.accepted()
    await rig.work()
    for mail in rig.mail_folder.glob("*.eml"):
        mail.unlink()
    return booking


async def wait_for_mail(rig: Rig) -> None:
    rig.pass_time(seconds=MESSAGE_MAIL_DELAY.total_seconds() + 1)
    await rig.work()


async def test_message_is_mailed_to_the_other_side_with_a_link_to_the_thread(rig: Rig, booking: BookingView) -> None:
    await rig.write(booking, rig.customer, "Is there a piano?\n\nAnd a stool?")
    assert rig.mails() == [], "the recipient has half a minute to read it on the page"
    await wait_for_mail(rig)
    [mail] = rig.mails()
    assert mail["To"] == rig.owner.email
    assert subject(mail).startswith("New message from Grace Hopper about Algebra, one hour on ")
    assert "“Is there a piano?\n\nAnd a stool?”" in body(mail)
    assert f"Read and reply:\n{PUBLIC_URL}/me/bookings/{booking.id}#messages\n" in body(mail)
    await rig.write(booking, rig.owner, "There is.")
    await wait_for_mail(rig)
    assert subject(rig.mail_to(rig.customer)).startswith("New message from Ada Lovelace about ")


async def test_message_that_is_read_within_the_delay_is_not_mailed(rig: Rig, booking: BookingView) -> None:
    message = await rig.write(booking, rig.customer)
    await rig.read(booking, rig.owner, up_to=message.sequence)
    await wait_for_mail(rig)
    assert rig.mails() == []


async def test_message_that_is_read_before_its_event_arrives_notifies_none(rig: Rig, booking: BookingView) -> None:
    message = await rig.write(booking, rig.customer)
    await rig.read(booking, rig.owner, up_to=message.sequence)
    known = len(await rig.listed(rig.owner))
    [conversation] = (await rig.messages.list_conversations(user_id=rig.owner.id, limit=1)).data
    await rig.deliver(
        MessageSent(
            conversation_id=conversation.id,
            subject_kind=conversation.subject_kind,
            subject_id=booking.id,
            sequence=1,
            side=message.side,
            recipient_id=rig.owner.id,
        )
    )
    assert len(await rig.listed(rig.owner)) == known


async def test_further_messages_of_an_unread_conversation_are_mailed_after_an_hour(
    rig: Rig, booking: BookingView
) -> None:
    for text in ("one", "two"):
        await rig.write(booking, rig.customer, text)
    await wait_for_mail(rig)
    await rig.write(booking, rig.customer, "three")
    await wait_for_mail(rig)
    assert [("“one”" in body(mail)) for mail in rig.mails()] == [True]
    rig.pass_time(seconds=MESSAGE_MAIL_PAUSE.total_seconds())
    await rig.write(booking, rig.customer, "four")
    await rig.write(booking, rig.customer, "five")
    await wait_for_mail(rig)
    assert [("“four”" in body(mail)) for mail in rig.mails()] == [False, True]


async def test_message_after_the_recipient_has_read_is_mailed_at_once(rig: Rig, booking: BookingView) -> None:
    first = await rig.write(booking, rig.customer, "one")
    await wait_for_mail(rig)
    await rig.read(booking, rig.owner, up_to=first.sequence)
    await rig.write(booking, rig.customer, "two")
    await wait_for_mail(rig)
    assert ["“two”" in body(mail) for mail in rig.mails()] == [False, True]


async def test_pauses_of_two_conversations_are_independent(rig: Rig, booking: BookingView) -> None:
    await rig.write(booking, rig.customer)
    await rig.write(booking, rig.owner)
    await wait_for_mail(rig)
    assert {mail["To"] for mail in rig.mails()} == {rig.owner.email, rig.customer.email}


async def test_event_that_is_delivered_again_notifies_once(rig: Rig, booking: BookingView) -> None:
    message = await rig.write(booking, rig.customer)
    [conversation] = (await rig.messages.list_conversations(user_id=rig.owner.id, limit=1)).data
    event = MessageSent(
        conversation_id=conversation.id,
        subject_kind=conversation.subject_kind,
        subject_id=booking.id,
        sequence=message.sequence,
        side=message.side,
        recipient_id=rig.owner.id,
    )
    await asyncio.gather(*(rig.deliver(event) for _ in range(4)))
    await wait_for_mail(rig)
    assert len(rig.mails()) == 1
    assert [each.topic for each in await rig.listed(rig.owner)].count(MessageSent.topic) == 1


async def test_notification_is_read_with_the_conversation(rig: Rig, booking: BookingView) -> None:
    first = await rig.write(booking, rig.customer, "one")
    [shown] = [each for each in await rig.listed(rig.owner) if each.topic == MessageSent.topic]
    assert (shown.link, shown.read_at) == (f"/me/bookings/{booking.id}#messages", None)
    unread = await rig.notifications.count_unread(user_id=rig.owner.id)
    await rig.read(booking, rig.owner, up_to=first.sequence)
    assert await rig.notifications.count_unread(user_id=rig.owner.id) == unread - 1
    await rig.write(booking, rig.customer, "two")
    [newest, oldest] = [each for each in await rig.listed(rig.owner) if each.topic == MessageSent.topic]
    assert newest.read_at is None
    assert oldest.read_at is not None


def test_long_message_is_quoted_up_to_500_characters_and_cut_at_a_word() -> None:
    assert quote("x" * MESSAGE_QUOTE_MAX_LENGTH) == "x" * MESSAGE_QUOTE_MAX_LENGTH
    words = quote("word " * 200)
    assert len(words) <= MESSAGE_QUOTE_MAX_LENGTH
    assert words.endswith("word…")
    assert len(quote("x" * 600)) == MESSAGE_QUOTE_MAX_LENGTH


@pytest.mark.parametrize(
    ("read_sequence", "last", "age", "expected"),
    [
        (0, None, timedelta(0), UnreadStretch(0)),
        (0, UnreadStretch(0), timedelta(minutes=59), None),
        (0, UnreadStretch(0), timedelta(minutes=60), UnreadStretch(0, 1)),
        (3, UnreadStretch(0, 4), timedelta(minutes=1), UnreadStretch(3)),
    ],
)
def test_stretch_begins_with_each_reading_and_after_each_pause(
    read_sequence: int, last: UnreadStretch | None, age: timedelta, expected: UnreadStretch | None
) -> None:
    last_at = NOW - age if last else None
    assert next_stretch(read_sequence=read_sequence, last=last, last_at=last_at, now=NOW) == expected
