"""Renders notifications and emails from the templates: strict, translated, and escaped where they are HTML."""

from dataclasses import dataclass
from email.message import EmailMessage
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from fairground.contracts.accounts import User
from fairground.contracts.booking import BookingView
from fairground.modules.notifications.domain import Audience, NotificationRecord
from fairground.platform.locale_formatter import DEFAULT_LOCALE, LocaleFormatter
from fairground.platform.mail.message import compose_message, message_id

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"
_CALENDAR_FILE: Final = "booking.ics"


def build_environment(*, locale: str = DEFAULT_LOCALE) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Until catalogues exist every text is its own translation, and plural forms follow English.
    env.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    formatter = LocaleFormatter(Locale.parse(locale))
    env.filters |= {
        "money": formatter.money,
        "rating": formatter.rating,
        "when": formatter.when,
        "between": formatter.between,
    }
    env.globals["language"] = locale.replace("_", "-")
    return env


class NotificationRenderer:
    """Renders `templates/notifications/<topic>/<audience>.txt`, which set title, text, action and link."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def render(
        self,
        topic: str,
        *,
        audience: Audience,
        user_id: UUID,
        subject_id: UUID,
        occasion: str = "",
        changes_calendar: bool = False,
        **facts: Any,
    ) -> NotificationRecord:
        texts = vars(self._env.get_template(f"notifications/{topic}/{audience}.txt").make_module(facts))
        return NotificationRecord(
            user_id=user_id,
            topic=topic,
            subject_id=subject_id,
            occasion=occasion,
            changes_calendar=changes_calendar,
            **{name: str(texts[name]).strip() for name in ("title", "text", "action", "link")},
        )


@dataclass(frozen=True, kw_only=True)
class BookingDetails:
    """A booking as an email about it shows it."""

    booking: BookingView
    customer_name: str
    calendar: str | None
    """An iCalendar file, if the email changes the reader's calendar."""


class EmailRenderer:
    """Renders a notification as an email: in two forms, with the details of its booking and its calendar file."""

    def __init__(self, env: Environment, *, public_url: str) -> None:
        """`public_url` has no slash at its end."""
        self._env = env
        self._public_url = public_url

    def render(
        self,
        notification: NotificationRecord,
        *,
        notification_id: UUID,
        recipient: User,
        details: BookingDetails | None,
    ) -> EmailMessage:
        facts = {
            "notification": notification,
            "recipient": recipient,
            "details": details,
            "address": f"{self._public_url}{notification.link}",
            "home": self._public_url,
        }
        message = compose_message(
            to=recipient.email,
            subject=notification.title,
            text=self._env.get_template("email.txt").render(facts),
            html=self._env.get_template("email.html").render(facts),
        )
        # Each attempt has the same id: of an email that arrives twice, most mail servers then keep one copy.
        message["Message-ID"] = message_id(
            str(notification_id), host=urlsplit(self._public_url).hostname or "localhost"
        )
        if details is not None and details.calendar is not None:
            _attach(message, details.calendar)
        return message


def _attach(message: EmailMessage, calendar: str) -> None:
    from icalendar import Calendar  # noqa: PLC0415 - it takes a twentieth of a start; the first email can wait for it

    # As bytes, because text would lose the line ends that RFC 5545 requires.
    message.add_attachment(
        calendar.encode(),
        maintype="text",
        subtype="calendar",
        filename=_CALENDAR_FILE,
        # RFC 6047 §2.4: the method of the part and of the file are the same.
        params={"charset": "utf-8", "method": str(Calendar.from_ical(calendar)["METHOD"])},
    )
