"""Each side is notified of a transition once, while the booking has that status."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from fairground.contracts.booking import BookingConfirmed, BookingRequested, BookingStatus, BookingView
from fairground.contracts.providers import BookingMode, ProviderContact
from fairground.kernel.addresses import Address
from fairground.kernel.zones import get_zone
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body, subject
from tests.support.addresses import HOME

pytestmark = pytest.mark.anyio


def wall(instant: datetime, *, zone: str = "Europe/Oslo") -> datetime:
    return instant.astimezone(get_zone(zone))


def when(instant: datetime) -> str:
    """Write an instant as the mails should, without the code that writes them."""
    local = wall(instant)
    hours = (local.utcoffset() or timedelta(0)) // timedelta(hours=1)
    months = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec".split()
    day = f"{local:%a} {local.day} {months[local.month - 1]} {local.year}"
    return f"{day}, {local:%H:%M} (Oslo, UTC+{hours})"


def calendar(mail: Any) -> Any:
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_filename() == "booking.ics"
    content = attachment.get_payload(decode=True)
    assert content.count(b"\r\n") == content.count(b"\n") > 10
    read = Calendar.from_ical(content)
    assert attachment.get_param("method") == read["METHOD"]
    return read


async def accept(rig: Rig, booking: BookingView) -> None:
    await rig.bookings.accept(owner_id=rig.owner.id, booking_id=booking.id)


async def test_request_notifies_both_sides_with_its_deadline(rig: Rig) -> None:
    booking = await rig.request(note="Chapter 3, please", place="online")
    await rig.work()
    assert booking.answer_due_at is not None
    due = when(booking.answer_due_at)
    assert rig.subjects(rig.customer) == ["Request sent to Ada Lovelace"]
    assert rig.subjects(rig.owner) == [f"New booking request from Grace Hopper: respond by {due}"]
    theirs, mine = body(rig.mail_to(rig.owner)), body(rig.mail_to(rig.customer))
    assert f"Ada Lovelace has until {due} to respond." in mine
    assert "We’ve reserved €159.01 on your card. You’re only charged if Ada Lovelace accepts." in mine
    assert "For: Grace Hopper" in theirs
    assert "Note: Chapter 3, please" in theirs
    assert "Where: online" in theirs
    assert f"{PUBLIC_URL}/me/bookings/{booking.id}\n" in theirs
    assert list(rig.mail_to(rig.customer).iter_attachments()) == []


async def test_hold_notifies_neither_side(rig: Rig) -> None:
    held, let_go = await rig.hold(), await rig.hold()
    await rig.bookings.cancel(user_id=rig.customer.id, booking_id=let_go.id)
    rig.pass_time(minutes=11)
    await rig.work()
    assert (await rig.bookings.describe_booking(booking_id=held.id)).status is BookingStatus.EXPIRED
    assert rig.mails() == []
    assert await rig.listed(rig.customer) == await rig.listed(rig.owner) == []


async def test_acceptance_notifies_both_sides_with_policy_and_calendar_file(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    await accept(rig, booking)
    await rig.work()
    mine, theirs = rig.mail_to(rig.customer), rig.mail_to(rig.owner)
    assert subject(mine) == f"Ada Lovelace accepted your request: Algebra, one hour, {when(booking.starts_at)}"
    assert subject(theirs) == f"New booking: Algebra, one hour with Grace Hopper, {when(booking.starts_at)}"
    assert "You paid €159.01." in body(mine)
    assert booking.cancellation is not None
    first = booking.cancellation.terms[0]
    assert first.until is not None
    assert f"- Until {when(first.until)}: full refund (€159.01)." in body(mine)
    assert "- After that: no refund." in body(mine)
    assert "If you cancel" not in body(theirs)
    for mail in (mine, theirs):
        (event,) = calendar(mail).walk("VEVENT")
        assert event["STATUS"] == "CONFIRMED"
        assert event.decoded("DTSTART") == booking.starts_at
        assert "TZID" not in event["DTSTART"].params
        assert calendar(mail)["METHOD"] == "PUBLISH"
        assert "Open the attached file to add the booking to your calendar." in body(mail)
    assert str(calendar(mine).events[0]["SUMMARY"]) == "Algebra, one hour · Ada Lovelace"
    assert str(calendar(theirs).events[0]["SUMMARY"]) == "Algebra, one hour · Grace Hopper"


async def test_calendar_file_has_what_the_mail_says_and_equals_the_download(rig: Rig) -> None:
    await rig.accepted(place="provider", note="Chapter 3, please")
    await rig.work()
    mail = rig.mail_to(rig.customer)
    [attachment] = mail.iter_attachments()
    event = calendar(mail).events[0]
    lines = str(event["DESCRIPTION"]).splitlines()
    assert lines[:-1] == [line for line in body(mail).splitlines() if line in lines[:-1]]
    assert "Where: at Ada Lovelace’s place" in lines
    assert str(event["LOCATION"]) == "at Ada Lovelace’s place"
    assert event["ORGANIZER"] == "mailto:hello@fair.example"
    booking_id = UUID(str(event["UID"]).partition("@")[0])
    download = await rig.bookings.get_calendar(user_id=rig.customer.id, booking_id=booking_id)
    assert attachment.get_payload(decode=True) == download.encode()


async def test_instant_booking_is_announced_as_booked(rig: Rig) -> None:
    booking = await rig.pay(await rig.hold(mode=BookingMode.INSTANT))
    await rig.work()
    assert rig.subjects(rig.customer) == [
        f"Booking confirmed: Algebra, one hour with Ada Lovelace, {when(booking.starts_at)}"
    ]
    assert rig.subjects(rig.owner) == [f"New booking: Algebra, one hour with Grace Hopper, {when(booking.starts_at)}"]


async def test_declined_request_notifies_the_customer_with_the_reason(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    await rig.bookings.decline(owner_id=rig.owner.id, booking_id=booking.id, reason="I am on tour.")
    await rig.work()
    mail = rig.mail_to(rig.customer)
    assert subject(mail) == f"Ada Lovelace declined your request for {when(booking.starts_at)}"
    assert "Ada Lovelace wrote: “I am on tour.”" in body(mail)
    assert "You haven’t been charged. The €159.01 reserved on your card will be released." in body(mail)
    assert f"{PUBLIC_URL}/p/{booking.provider_slug}\n" in body(mail)
    assert len(rig.subjects(rig.owner)) == 1


async def test_cancellation_removes_the_calendar_entry(rig: Rig) -> None:
    booking = await rig.accepted()
    await rig.work()
    (before,) = calendar(rig.mail_to(rig.customer)).walk("VEVENT")
    await rig.bookings.cancel(user_id=rig.customer.id, booking_id=booking.id)
    await rig.work()
    mine, theirs = rig.mail_to(rig.customer), rig.mail_to(rig.owner)
    assert subject(mine) == f"You cancelled Algebra, one hour with Ada Lovelace, {when(booking.starts_at)}"
    assert subject(theirs) == f"Grace Hopper cancelled Algebra, one hour, {when(booking.starts_at)}"
    assert "We’re refunding the full €159.01 to your card." in body(mine)
    assert "Grace Hopper gets a full refund of €159.01." in body(theirs)
    for mail in (mine, theirs):
        (after,) = calendar(mail).walk("VEVENT")
        assert calendar(mail)["METHOD"] == "CANCEL"
        assert "remove the event from your calendar" in body(mail)
        assert (after["UID"], after["STATUS"]) == (before["UID"], "CANCELLED")
        assert after["SEQUENCE"] > before["SEQUENCE"]


async def test_late_cancellation_names_the_refund(rig: Rig) -> None:
    booking = await rig.accepted()
    assert booking.cancellation is not None
    until = [term.until for term in booking.cancellation.terms if term.until][-1]
    async with rig.db.read() as tx:
        rig.db.clock_shift += until - await tx.current_time() + timedelta(minutes=1)
    await rig.bookings.cancel(user_id=rig.customer.id, booking_id=booking.id)
    await rig.work()
    for user in (rig.customer, rig.owner):
        assert "Under the cancellation policy, the €159.01 is not refunded." in body(rig.mail_to(user))


async def test_cancellation_by_the_provider_names_the_provider(rig: Rig) -> None:
    booking = await rig.accepted()
    await rig.bookings.cancel(user_id=rig.owner.id, booking_id=booking.id)
    await rig.work()
    assert rig.subjects(rig.customer) == [f"Ada Lovelace cancelled Algebra, one hour, {when(booking.starts_at)}"]
    assert rig.subjects(rig.owner) == [f"You cancelled Algebra, one hour with Grace Hopper, {when(booking.starts_at)}"]


async def test_withdrawn_request_costs_nothing_and_changes_no_calendar(rig: Rig) -> None:
    booking = await rig.request()
    await rig.bookings.cancel(user_id=rig.customer.id, booking_id=booking.id)
    await rig.work()
    mine, theirs = rig.mail_to(rig.customer), rig.mail_to(rig.owner)
    assert "You haven’t been charged. The €159.01 reserved on your card will be released." in body(mine)
    assert "is closed and the time is available again." in body(theirs)
    assert list(mine.iter_attachments()) == list(theirs.iter_attachments()) == []


async def test_expired_request_notifies_both_sides(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    rig.pass_time(hours=25)
    await rig.work()
    assert rig.subjects(rig.customer)[1:] == [f"Your request to Ada Lovelace for {when(booking.starts_at)} has expired"]
    assert rig.subjects(rig.owner)[1:] == ["The request from Grace Hopper has expired"]


async def test_completed_booking_requests_a_review(rig: Rig) -> None:
    booking = await rig.accepted()
    await rig.work()
    rig.pass_time(days=10)
    await rig.bookings.complete(user_id=rig.owner.id, booking_id=booking.id)
    await rig.work()
    mail = rig.mail_to(rig.customer)
    assert subject(mail) == "How was Algebra, one hour with Ada Lovelace?"
    assert f"Write a review:\n{PUBLIC_URL}/me/bookings/{booking.id}#reviews\n" in body(mail)
    assert len(rig.subjects(rig.owner)) == 1


async def test_booking_completed_long_after_its_end_requests_no_review(rig: Rig) -> None:
    rig.pass_time(days=-30)
    booking = await rig.accepted()
    await rig.work()
    mailed = len(rig.mails())
    rig.pass_time(days=30)
    await rig.work()
    assert (await rig.bookings.describe_booking(booking_id=booking.id)).status is BookingStatus.COMPLETED
    assert len(rig.mails()) == mailed


async def test_each_time_has_its_city_and_utc_offset(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    await accept(rig, booking)
    await rig.work()
    words = "".join(subject(mail) + body(mail) + body(mail, "html") for mail in rig.mails())
    times = re.findall(r"\d\d:\d\d(?!–).{0,20}", words)
    assert len(times) > 10
    assert [time for time in times if not re.match(r"\d\d:\d\d \(Oslo, UTC\+[12]\)", time)] == []


async def test_status_that_changed_meanwhile_is_not_announced(rig: Rig) -> None:
    booking = await rig.request()
    await accept(rig, booking)
    await rig.work()
    assert rig.subjects(rig.customer) == [
        f"Ada Lovelace accepted your request: Algebra, one hour, {when(booking.starts_at)}"
    ]
    assert [each.topic for each in await rig.listed(rig.owner)] == [BookingConfirmed.topic]


async def test_event_that_is_delivered_twice_notifies_once(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    assert booking.answer_due_at is not None
    again = BookingRequested(
        booking_id=booking.id,
        customer_id=booking.customer_id,
        provider_id=booking.provider_id,
        answer_due_at=booking.answer_due_at,
    )
    await rig.deliver(again)
    await rig.emit(again)
    assert len(rig.mails()) == 2
    assert len(await rig.listed(rig.customer)) == len(await rig.listed(rig.owner)) == 1


KITCHEN = ProviderContact(
    name="Ada Lovelace",
    email="ada@desk.example",
    phone="+44 20 0000 0001",
    address=Address(street="Kitchen Street 5", city="London", country="GB"),
    meeting_details="https://meet.example/ada",
)


@pytest.mark.parametrize(
    ("place", "to_customer", "to_provider"),
    [
        ("customer", "at your place: Storgata 1, ", "at the customer’s place: Storgata 1, "),
        ("provider", "at Ada Lovelace’s place: Kitchen Street 5, London, GB", "at your place"),
        ("online", "online: https://meet.example/ada", "online"),
    ],
)
async def test_mail_of_a_confirmation_says_where_and_how_to_reach_the_other_side(
    rig: Rig, place: str, to_customer: str, to_provider: str
) -> None:
    details = {"address": HOME} if place == "customer" else {}
    booking = await rig.request(place=place, phone="+47 40 00 00 00", **details)
    rig.providers.contacts[booking.provider_id] = KITCHEN
    await rig.work()
    asked = body(rig.mail_to(rig.owner))
    assert "+47 40 00 00 00" not in asked
    assert "Storgata" not in asked
    await rig.bookings.accept(owner_id=rig.owner.id, booking_id=booking.id)
    await rig.work()
    customer, provider = body(rig.mail_to(rig.customer)), body(rig.mail_to(rig.owner))
    assert f"Where: {to_customer}" in customer
    assert "Email: ada@desk.example\nPhone: +44 20 0000 0001" in customer
    assert f"Where: {to_provider}" in provider
    assert "Phone: +47 40 00 00 00" in provider
    await rig.bookings.cancel(user_id=rig.customer.id, booking_id=booking.id)
    await rig.work()
    for user in (rig.customer, rig.owner):
        assert "Phone:" not in body(rig.mail_to(user))
