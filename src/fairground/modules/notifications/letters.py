"""Notices as mails: in two forms, with the booking spelt out, and with its calendar file."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment

from fairground.contracts.accounts import User
from fairground.contracts.booking import BookingView
from fairground.modules.notifications.domain import Notice
from fairground.platform.mail.headers import message_id
from fairground.platform.mail.message import compose_message

_CALENDAR_FILE: Final = "booking.ics"


@dataclass(frozen=True, kw_only=True)
class BookingDetails:
    """A booking as a mail about it shows it."""

    booking: BookingView
    customer_name: str
    calendar: str | None
    """An iCalendar file, where the mail changes the reader's calendar."""


class LetterWriter:
    def __init__(self, env: Environment, *, public_url: str) -> None:
        """`public_url` has no slash at its end."""
        self._env = env
        self._public_url = public_url

    def write(
        self, notice: Notice, *, notification_id: UUID, recipient: User, details: BookingDetails | None
    ) -> EmailMessage:
        facts = {
            "notice": notice,
            "recipient": recipient,
            "details": details,
            "address": f"{self._public_url}{notice.link}",
            "home": self._public_url,
        }
        message = compose_message(
            to=recipient.email,
            subject=notice.title,
            text=self._env.get_template("letter.txt").render(facts),
            html=self._env.get_template("letter.html").render(facts),
        )
        # The same id on every try: where a mail arrives twice, most mail servers then keep one.
        message["Message-ID"] = message_id(
            str(notification_id), host=urlsplit(self._public_url).hostname or "localhost"
        )
        if details is not None and details.calendar is not None:
            _attach(message, details.calendar)
        return message


def _attach(message: EmailMessage, calendar: str) -> None:
    from icalendar import Calendar  # noqa: PLC0415 - a twentieth of a start, and the first mail can wait for it

    # As bytes, because text would lose the line ends that RFC 5545 asks for.
    message.add_attachment(
        calendar.encode(),
        maintype="text",
        subtype="calendar",
        filename=_CALENDAR_FILE,
        # RFC 6047 §2.4: the method of the part and of the file are the same.
        params={"charset": "utf-8", "method": str(Calendar.from_ical(calendar)["METHOD"])},
    )
