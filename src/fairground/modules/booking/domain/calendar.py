"""A booking as an iCalendar file (RFC 5545)."""

from datetime import UTC
from typing import Final
from urllib.parse import urlsplit

from fairground.contracts.booking import BookingStatus
from fairground.modules.booking.domain.record import BookingRecord

# A calendar shows what may still change in paler colours, and takes away what was cancelled.
_STATUS: Final = {
    BookingStatus.HELD: "TENTATIVE",
    BookingStatus.REQUESTED: "TENTATIVE",
    BookingStatus.CONFIRMED: "CONFIRMED",
    BookingStatus.COMPLETED: "CONFIRMED",
}


def write_calendar(record: BookingRecord, *, public_url: str) -> str:
    """Return the file. The UID never changes and the SEQUENCE grows, so that importing it again updates the entry."""
    from icalendar import Calendar, Event  # noqa: PLC0415 - a twentieth of a start, and the first file can wait for it

    event = Event()
    event.add("uid", f"{record.id}@{urlsplit(public_url).hostname}")
    event.add("dtstamp", record.changed_at)
    event.add("last-modified", record.changed_at)
    event.add("sequence", record.version)
    # In UTC: a time with a TZID is read by the rules, and the idea of a repeated hour, of the reader's software.
    event.add("dtstart", record.starts_at.astimezone(UTC))
    event.add("dtend", record.ends_at.astimezone(UTC))
    event.add("summary", f"{record.service_name} · {record.provider_name}")
    event.add("status", _STATUS.get(record.status, "CANCELLED"))
    event.add("url", f"{public_url}/me/bookings/{record.id}")
    calendar = Calendar()
    calendar.add("prodid", "-//Fairground//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    file: bytes = calendar.to_ical()
    return file.decode()
