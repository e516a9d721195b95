"""Emails: each notification is sent as one, in two forms, with the details of its booking and its calendar file."""

from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from typing import ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment

from fairground.contracts.accounts import Accounts, AccountStatus, User
from fairground.contracts.booking import BookingConfirmed, Bookings, BookingView, Receipt, ReceiptNotFound
from fairground.contracts.notifications import MailNotFound, MailState, StaffMail, StaffMailPage
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.messages import Job
from fairground.kernel.zones import Clock
from fairground.modules.notifications import store
from fairground.modules.notifications.domain import BOOKING_RULES, NotificationRecord, is_current
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database
from fairground.platform.jobs.lifecycle import CancelJob
from fairground.platform.mail.mailer import Mailer
from fairground.platform.mail.message import compose_message, message_id

_CALENDAR_FILE: Final = "booking.ics"
MAILS_SHOWN: Final = timedelta(days=90)  # to staff


class SendEmail(Job):
    topic: ClassVar = "notifications.send_mail.v1"
    max_attempts: ClassVar = 40  # with the delays between them, 14 to 29 hours without a mail server
    notification_id: UUID


@dataclass(frozen=True, kw_only=True)
class BookingDetails:
    """A booking as an email about it shows it."""

    booking: BookingView
    customer_name: str
    calendar: str | None
    """An iCalendar file, if the email changes the reader's calendar."""
    receipt: Receipt | None = None
    """What the reader has paid, in the email that confirms the booking."""
    receipt_url: str = ""


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
        if details is not None and details.receipt is not None:
            details = replace(details, receipt_url=f"{self._public_url}/me/bookings/{details.booking.id}/receipt")
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


class EmailSender:
    """Sends each notification as an email; only a crash between the sending and the mark makes a second copy."""

    def __init__(
        self,
        *,
        db: Database,
        renderer: EmailRenderer,
        mailer: Mailer,
        bookings: Bookings,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._db = db
        self._renderer = renderer
        self._mailer = mailer
        self._bookings = bookings
        self._accounts = accounts
        self._clock = clock

    async def send(self, job: SendEmail) -> None:
        async with self._db.read() as tx:
            notification = await store.find_unmailed(tx, job.notification_id)
        if notification is None:
            return
        recipient = await self._accounts.get_user(user_id=notification.user_id)
        if recipient.status is AccountStatus.CLOSED:
            raise CancelJob("The account is closed.")
        details = await self._describe_booking(notification) if notification.topic in BOOKING_RULES else None
        message = self._renderer.render(
            notification, notification_id=job.notification_id, recipient=recipient, details=details
        )
        await self._mailer.send(message)
        async with self._db.write(ends_job=True) as tx:
            await store.mark_mailed(tx, job.notification_id)

    async def _describe_booking(self, notification: NotificationRecord) -> BookingDetails:
        """Return the booking as it is now.

        Raises:
            CancelJob: Its status has changed while the email waited; another email announces the new one.
        """
        booking = await self._bookings.get_booking(user_id=notification.user_id, booking_id=notification.subject_id)
        if not is_current(notification.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            raise CancelJob(f"The booking {booking.id} is {booking.status} by now.")
        customer = await self._accounts.get_user(user_id=booking.customer_id)
        calendar = None
        if notification.changes_calendar:
            calendar = await self._bookings.get_calendar(
                user_id=notification.user_id, booking_id=notification.subject_id
            )
        receipt = await self._find_receipt(notification) if notification.topic == BookingConfirmed.topic else None
        return BookingDetails(booking=booking, customer_name=customer.name, calendar=calendar, receipt=receipt)

    async def _find_receipt(self, notification: NotificationRecord) -> Receipt | None:
        """Return the receipt for the customer; None for the provider, and of a booking that cost nothing here."""
        try:
            return await self._bookings.get_receipt(user_id=notification.user_id, booking_id=notification.subject_id)
        except ReceiptNotFound:
            return None


class MailService:
    """Implements `StaffMails`."""

    def __init__(self, *, db: Database, accounts: Accounts) -> None:
        self._db = db
        self._accounts = accounts

    async def list_mails(self, *, user_id: UUID | None = None, cursor: str | None = None, limit: int) -> StaffMailPage:
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_mails(tx, user_id=user_id, kept_for=MAILS_SHOWN, after=after, limit=limit + 1)
        shown = found[:limit]
        users = await self._accounts.find_users(user_ids={mail.user_id for mail in shown})
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return StaffMailPage(
            data=[
                StaffMail(
                    id=mail.id,
                    user_id=mail.user_id,
                    recipient=users[mail.user_id].email if mail.user_id in users else "",
                    subject=mail.title,
                    state=MailState.NOT_SENT if mail.mailed_at is None else MailState.SENT,
                    created_at=mail.created_at,
                    sent_at=mail.mailed_at,
                )
                for mail in shown
            ],
            next_cursor=None if end is None else end.write(),
        )

    async def resend_mail(self, *, staff_id: UUID, mail_id: UUID) -> None:
        async with self._db.write() as tx:
            if not await store.unmark_mailed(tx, mail_id):
                raise MailNotFound(f"Email {mail_id} does not exist.")
            # A resend that waits already is the one that is asked for.
            await tx.enqueue(SendEmail(notification_id=mail_id), dedup_key=f"resend:{mail_id}")
            subject = AuditSubject("mail", mail_id)
            await record_action(tx, action="notifications.resend", actor=staff_id, subject=subject)


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
