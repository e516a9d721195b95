"""The calendar file, read back as a calendar would read it."""

from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from fairground.contracts.booking import BookingStatus
from fairground.contracts.catalog import BookingMode
from fairground.kernel.ids import uuid7
from fairground.modules.booking.domain.calendar import write_calendar
from fairground.modules.booking.domain.record import BookingRecord, new_record
from fairground.verticals.loader import load_verticals
from tests.doubles.catalog import FakeCatalog

URL = "https://fair.example"
STARTS_AT = datetime(2026, 7, 4, 8, 30, tzinfo=UTC)


def record(**changes: object) -> BookingRecord:
    catalog, pack = FakeCatalog(), load_verticals().find("tutors")
    assert pack is not None
    offer = catalog.add_service(catalog.add_provider(), mode=BookingMode.INSTANT)
    booking = new_record(
        offer.model_copy(update={"service_name": "Algebra; sums, and more\nof them"}),
        pack,
        owner_id=uuid7(),
        customer_id=uuid7(),
        starts_at=STARTS_AT,
        timezone="Europe/Oslo",
        now=STARTS_AT,
    )
    return booking.model_copy(update=changes)


def test_times_are_written_in_utc_without_a_time_zone() -> None:
    file = write_calendar(record(), public_url=URL)
    assert "\r\nDTSTART:20260704T083000Z\r\nDTEND:20260704T093000Z\r\n" in file
    assert "VTIMEZONE" not in file
    (event,) = Calendar.from_ical(file).events
    assert event.decoded("dtstart") == STARTS_AT
    assert str(event["summary"]) == "Algebra; sums, and more\nof them · Ada Lovelace"


def test_a_changed_booking_replaces_its_entry() -> None:
    first = record()
    files = [first, first.model_copy(update={"version": 2, "status": BookingStatus.CANCELLED})]
    held, cancelled = (Calendar.from_ical(write_calendar(each, public_url=URL)).events[0] for each in files)
    assert held["uid"] == cancelled["uid"] == f"{first.id}@fair.example"
    assert (held["sequence"], cancelled["sequence"]) == (1, 2)
    assert (held["status"], cancelled["status"]) == ("TENTATIVE", "CANCELLED")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_every_zone_and_line_is_written_as_the_standard_asks(zone: str) -> None:
    file = write_calendar(record(timezone=zone), public_url=URL)
    assert Calendar.from_ical(file).events[0].decoded("dtstart") == STARTS_AT
    assert file.count("\n") == file.count("\r\n")
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
