"""Sends notifications as emails."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.kernel.clock import Clock
from fairground.modules.notifications import store
from fairground.modules.notifications.domain import BOOKING_RULES, NotificationRecord, is_current
from fairground.modules.notifications.renderers import BookingDetails, EmailRenderer
from fairground.modules.notifications.service import SendEmail
from fairground.platform.db.database import Database
from fairground.platform.jobs.states import Discard
from fairground.platform.mail.mailer import Mailer


class EmailSender:
    """Sends at least once: only a crash between the sending and the mark makes a second copy."""

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
            Discard: Its status has changed while the email waited; another email announces the new one.
        """
        booking = await self._bookings.get_booking(user_id=notification.user_id, booking_id=notification.subject_id)
        if not is_current(notification.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            raise Discard(f"The booking {booking.id} is {booking.status} by now.")
        customer = await self._accounts.get_user(user_id=booking.customer_id)
        calendar = None
        if notification.changes_calendar:
            calendar = await self._bookings.get_calendar(
                user_id=notification.user_id, booking_id=notification.subject_id
            )
        return BookingDetails(booking=booking, customer_name=customer.name, calendar=calendar)
