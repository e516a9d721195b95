"""The calendar file, read as calendars read it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import ics
import pytest
import vobject
from icalendar import Calendar, Event

from fairground.contracts.booking import BookingContact, BookingStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import get_zone
from fairground.modules.booking.deals.domain.icalendar_file import write_calendar
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, new_record
from fairground.verticals.loader import load_verticals
from tests.doubles.providers import FakeProviders
from tests.support.addresses import HOME
from tests.support.proofs import Dose
from tests.support.transitions import PER_ZONE, ZONES, next_transitions

URL = "https://fair.example"
STARTS_AT = datetime(2026, 7, 4, 8, 30, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


@cache
def _confirmed() -> BookingRecord:
    providers, pack = FakeProviders(), load_verticals().find("tutors")
    assert pack is not None
    offer = providers.add_service(providers.add_provider(), mode=BookingMode.INSTANT)
    booking = new_record(
        offer.model_copy(update={"service_name": "Algebra; sums, and more\nof them"}),
        pack,
        owner_id=uuid7(),
        customer_id=uuid7(),
        starts_at=STARTS_AT,
        timezone="Europe/Oslo",
        now=STARTS_AT,
    )
    return replace(booking, status=BookingStatus.CONFIRMED)


def record(**changes: Any) -> BookingRecord:
    return replace(_confirmed(), **changes)


ORGANIZER: Final = "Fair <hello@fair.example>"


def file_of(
    booking: BookingRecord,
    *,
    reader: Actor = Actor.CUSTOMER,
    contact: BookingContact | None = None,
    organizer: str = ORGANIZER,
) -> str:
    return write_calendar(
        booking, reader=reader, contact=contact, customer_name="Grace Hopper", public_url=URL, organizer=organizer
    )


def event_of(file: str) -> Any:
    (event,) = Calendar.from_ical(file).events
    return event


def test_times_are_written_in_utc_without_a_time_zone() -> None:
    file = file_of(record())
    assert "\r\nDTSTART:20260704T083000Z\r\nDTEND:20260704T093000Z\r\n" in file
    assert "VTIMEZONE" not in file
    assert event_of(file).decoded("dtstart") == STARTS_AT


@pytest.mark.parametrize(("reader", "other"), [(Actor.CUSTOMER, "Ada Lovelace"), (Actor.PROVIDER, "Grace Hopper")])
def test_each_side_reads_whom_it_meets(reader: Actor, other: str) -> None:
    event = event_of(file_of(record(), reader=reader))
    assert str(event["summary"]) == f"Algebra; sums, and more\nof them · {other}"
    assert other in str(event["description"])


def test_both_sides_have_the_same_file_except_for_whom_they_meet() -> None:
    booking = record(place="online")
    customer, provider = (event_of(file_of(booking, reader=side)) for side in (Actor.CUSTOMER, Actor.PROVIDER))
    differing = {name for name in customer if customer[name].to_ical() != provider[name].to_ical()}
    assert differing == {"SUMMARY", "DESCRIPTION"}
    assert set(customer) == set(provider)


def test_entry_says_where_for_how_many_and_with_what_note() -> None:
    booking = record(place="provider", party_size=3, note="Ring twice; 2nd floor, left\nCode \\7")
    event = event_of(file_of(booking))
    assert str(event["location"]) == "at Ada Lovelace’s place"
    assert str(event["description"]).splitlines()[-5:] == [
        "Where: at Ada Lovelace’s place",
        "People: 3",
        "Note: Ring twice; 2nd floor, left",
        "Code \\7",
        f"{URL}/me/bookings/{booking.id}",
    ]
    assert "LOCATION" not in file_of(record())


@pytest.mark.parametrize("status", list(BookingStatus))
def test_method_and_status_agree_and_an_organizer_is_named(status: BookingStatus) -> None:
    calendar = Calendar.from_ical(file_of(record(status=status)))
    ends = status in {BookingStatus.DECLINED, BookingStatus.CANCELLED, BookingStatus.EXPIRED}
    assert calendar["method"] == ("CANCEL" if ends else "PUBLISH")
    assert (calendar.events[0]["status"] == "CANCELLED") is ends
    assert calendar.events[0]["organizer"] == "mailto:hello@fair.example"
    assert calendar.events[0]["organizer"].params["CN"] == "Fair"
    assert "ATTENDEE" not in calendar.events[0], "RFC 5546 §3.2.1: what is published has none."


@pytest.mark.parametrize(
    ("organizer", "line"),
    [
        ('"Fair, Oslo; the \\"best\\"" <hello@fair.example>', "ORGANIZER;CN=\"Fair, Oslo; the 'best'\":mailto:"),
        ("hello@fair.example", "ORGANIZER:mailto:"),
    ],
)
def test_name_of_the_organizer_is_one_parameter(organizer: str, line: str) -> None:
    unfolded = file_of(record(), organizer=organizer).replace("\r\n ", "")
    assert f"\r\n{line}hello@fair.example\r\n" in unfolded


def test_later_file_of_a_booking_supersedes_the_earlier_one() -> None:
    first = record()
    later: dict[str, Any] = {"version": 2, "status": BookingStatus.CANCELLED, "changed_at": STARTS_AT + HOUR}
    before, after = (event_of(file_of(each)) for each in (first, replace(first, **later)))
    assert before["uid"] == after["uid"] == f"{first.id}@fair.example"
    assert (before["sequence"], after["sequence"]) == (1, 2)
    assert before.decoded("dtstamp") < after.decoded("dtstamp")


@pytest.mark.parametrize("text", ["é", "日本", "👩‍👩‍👧‍👦", "a,b;c\\d", "Ünï\n"])
def test_lines_are_at_most_75_octets_and_keep_their_text(text: str) -> None:
    for length in range(20, 60, 3):
        booking = record(note="x" * length + text * 40, provider_name="x" * length + text.strip() * 12)
        file = file_of(booking)
        assert file.count("\n") == file.count("\r\n")
        lines = file.encode().split(b"\r\n")
        assert all(len(line) <= 75 for line in lines)
        assert [line.decode() for line in lines], "No character is cut in two."
        assert f"Note: {booking.note}" in str(event_of(file)["description"])


Span = tuple[datetime, datetime]


def _by_icalendar(file: str) -> Span:
    event = event_of(file)
    return event.decoded("dtstart"), event.decoded("dtend")


def _by_ics(file: str) -> Span:
    (event,) = ics.Calendar(file).events
    return event.begin.datetime, event.end.datetime


def _by_vobject(file: str) -> Span:
    event = vobject.readOne(file).vevent
    return event.dtstart.value, event.dtend.value


READERS: Final = {"icalendar": _by_icalendar, "ics": _by_ics, "vobject": _by_vobject}


def _in_the_zone(booking: BookingRecord) -> str:
    """Write the times of a booking as wall times with a VTIMEZONE: the negative control."""
    zone = get_zone(booking.timezone)
    event = Event()
    event.add("uid", str(booking.id))
    event.add("dtstamp", booking.changed_at)
    event.add("dtstart", booking.starts_at.astimezone(zone))
    event.add("dtend", booking.ends_at.astimezone(zone))
    calendar = Calendar()
    calendar.add("prodid", "-//Fairground//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    getattr(calendar, "add_missing_timezones")()  # noqa: B009 - by its name the architecture test finds it
    file: bytes = calendar.to_ical()
    return file.decode()


def _misread(write: Callable[[BookingRecord], str], zones: Iterable[str]) -> list[tuple[str, str, datetime]]:
    """Return reader, zone and start of the hours around transitions that are read as other times."""
    bookings = [
        record(timezone=zone, starts_at=at - HOUR / 2, ends_at=at + HOUR / 2)
        for zone in zones
        for at in next_transitions(zone)
    ]
    assert len(bookings) >= PER_ZONE
    misread = []
    for booking in bookings:
        file = write(booking)
        for name, read in READERS.items():
            if read(file) != (booking.starts_at, booking.ends_at):
                misread.append((name, booking.timezone, booking.starts_at))
    return misread


def test_three_readers_read_the_instants_around_every_transition(dose: Dose) -> None:
    assert len(ZONES) == 40
    assert _misread(file_of, ZONES[:: dose(small=8, full=1)]) == []


def test_wall_times_with_a_vtimezone_would_be_misread_by_each_reader() -> None:
    zones = ("America/New_York", "Australia/Lord_Howe")
    assert {name for name, _, _ in _misread(_in_the_zone, zones)} == set(READERS)


def test_confirmed_booking_says_how_to_reach_the_other_side_and_opens_the_meeting() -> None:
    contact = BookingContact(
        name="Ada", email="ada@desk.example", phone="+44 20 0000 0001", address=HOME, meeting_details=None
    )
    event = event_of(file_of(record(place="provider"), contact=contact))
    assert str(event["LOCATION"]) == "Storgata 1, 2nd floor, 0155 Oslo, NO"
    assert {"Email: ada@desk.example", "Phone: +44 20 0000 0001"} <= set(str(event["DESCRIPTION"]).splitlines())
    meeting = contact.model_copy(update={"address": None, "meeting_details": "https://meet.example/ada"})
    event = event_of(file_of(record(place="online"), contact=meeting))
    assert (str(event["LOCATION"]), str(event["URL"])) == ("https://meet.example/ada",) * 2
    by_phone = meeting.model_copy(update={"meeting_details": "+44 20 0000 0002, code 7"})
    event = event_of(file_of(record(place="online"), contact=by_phone))
    assert str(event["URL"]).startswith(f"{URL}/me/bookings/")


def test_without_a_contact_the_place_stays_in_words() -> None:
    event = event_of(file_of(record(place="customer", address=HOME)))
    assert str(event["LOCATION"]) == "at your place"
