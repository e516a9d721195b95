"""A booking as an iCalendar file (RFC 5545) that a calendar adds, updates or removes by iTIP (RFC 5546).

A booking is published, not offered as an invitation: with METHOD:REQUEST, calendars show buttons to accept and to
decline whose answers go to an address that nothing reads, and a declined booking would still take place.
"""

import re
from datetime import UTC
from email.utils import parseaddr
from gettext import gettext as _
from typing import Final
from urllib.parse import urlsplit

from fairground.contracts.booking import BookingContact, BookingStatus
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord

# A calendar shows what may still change in paler colours, and removes what was cancelled.
_STATUS: Final = {
    BookingStatus.HELD: "TENTATIVE",
    BookingStatus.REQUESTED: "TENTATIVE",
    BookingStatus.CONFIRMED: "CONFIRMED",
    BookingStatus.COMPLETED: "CONFIRMED",
}
_CANCELLED: Final = "CANCELLED"
_LINK: Final = re.compile(r"https?://\S+")


def write_calendar(
    record: BookingRecord,
    *,
    reader: Actor,
    contact: BookingContact | None,
    customer_name: str,
    public_url: str,
    organizer: str,
) -> str:
    """Return the file for one side of the booking. The summary, place and description differ between the sides.

    The UID never changes and the SEQUENCE is the booking's version, so a later file supersedes an earlier one. Times
    are in UTC: a time with a TZID would be read by the zone rules, and in a repeated hour by the guess, of the reader's
    software.

    Args:
        contact: Of the other side; None before the confirmation and after a cancellation.
        organizer: The sender of this installation's mails, as `Name <address>`; RFC 5546 §3.2.1 requires one.
    """
    from icalendar import Calendar, Event  # noqa: PLC0415 - a twentieth of a start, and the first file can wait for it

    status = _STATUS.get(record.status, _CANCELLED)
    link = f"{public_url}/me/bookings/{record.id}"
    other = record.provider_name if reader is Actor.CUSTOMER else customer_name
    event = Event()
    event.add("uid", f"{record.id}@{urlsplit(public_url).hostname}")
    event.add("dtstamp", record.changed_at)
    event.add("last-modified", record.changed_at)
    event.add("sequence", record.version)
    event.add("dtstart", record.starts_at.astimezone(UTC))
    event.add("dtend", record.ends_at.astimezone(UTC))
    event.add("summary", " · ".join(filter(None, (record.service_name, other))))
    event.add("status", status)
    event.add("organizer", *_address(organizer))
    if record.place:
        location = _location(record, reader=reader, contact=contact)
        event.add("location", location or _place(record, reader=reader))
    lines = _details(record, reader=reader, contact=contact, customer_name=customer_name)
    event.add("description", "\n".join([*lines, link]))
    # A calendar opens the URL, so for an online booking it is the meeting.
    meeting = contact.meeting_details if contact else None
    event.add("url", meeting if meeting and _LINK.fullmatch(meeting) else link)
    calendar = Calendar()
    calendar.add("prodid", "-//Fairground//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if status == _CANCELLED else "PUBLISH")
    calendar.add_component(event)
    file: bytes = calendar.to_ical()
    return file.decode()


def _address(organizer: str) -> tuple[str, dict[str, str]]:
    name, address = parseaddr(organizer)
    # RFC 6868 has an escape for a double quote, which not every calendar reads.
    return f"mailto:{address}", {"CN": name.replace('"', "'")} if name else {}


def _location(record: BookingRecord, *, reader: Actor, contact: BookingContact | None) -> str | None:
    """Return the address or the link, where the reader may know it."""
    if contact is None:
        return None
    own = record.address if reader is Actor.CUSTOMER else None
    address = contact.address or own
    return ", ".join([*address.lines(), address.country]) if address else contact.meeting_details


def _place(record: BookingRecord, *, reader: Actor) -> str:
    is_customer = reader is Actor.CUSTOMER
    at_provider = _("at %(name)s’s place") % {"name": record.provider_name}
    places = {
        "customer": _("at your place") if is_customer else _("at the customer’s place"),
        "provider": at_provider if is_customer else _("at your place"),
        "online": _("online"),
    }
    return places.get(record.place or "", record.place or "")


def _details(record: BookingRecord, *, reader: Actor, contact: BookingContact | None, customer_name: str) -> list[str]:
    """Return the labelled lines that mails have too."""
    with_whom = (_("With"), record.provider_name) if reader is Actor.CUSTOMER else (_("For"), customer_name)
    where = (_place(record, reader=reader), _location(record, reader=reader, contact=contact))
    lines = [
        (_("What"), record.service_name),
        with_whom,
        (_("Where"), ": ".join(filter(None, where))),
        (_("People"), str(record.party_size or "")),
        (_("Email"), contact.email if contact else None),
        (_("Phone"), contact.phone if contact else None),
        (_("Note"), record.note or ""),
    ]
    return [f"{label}: {text}" for label, text in lines if text]
