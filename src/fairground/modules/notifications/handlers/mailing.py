"""The job that mails a notice."""

from collections.abc import Mapping

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.kernel.clock import Clock
from fairground.kernel.messages import Message
from fairground.modules.notifications.domain import NEWS_OF_BOOKINGS, Notice, is_news
from fairground.modules.notifications.letters import BookingDetails, LetterWriter
from fairground.modules.notifications.service import NotificationService, SendMail
from fairground.platform.jobs.states import Discard
from fairground.platform.mail.mailer import Mailer
from fairground.platform.module import Handler


class Postman:
    """Mails at least once: only a crash between the sending and the mark makes a second copy."""

    def __init__(
        self,
        *,
        service: NotificationService,
        writer: LetterWriter,
        mailer: Mailer,
        bookings: Bookings,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._service = service
        self._writer = writer
        self._mailer = mailer
        self._bookings = bookings
        self._accounts = accounts
        self._clock = clock

    def table(self) -> Mapping[type[Message], Handler]:
        return {SendMail: self.send_mail}

    async def send_mail(self, job: SendMail) -> None:
        notice = await self._service.find_unmailed(notification_id=job.notification_id)
        if notice is None:
            return
        recipient = await self._accounts.get_user(user_id=notice.user_id)
        details = await self._describe(notice) if notice.topic in NEWS_OF_BOOKINGS else None
        letter = self._writer.write(notice, notification_id=job.notification_id, recipient=recipient, details=details)
        await self._mailer.send(letter)
        await self._service.mark_mailed(notification_id=job.notification_id)

    async def _describe(self, notice: Notice) -> BookingDetails:
        """Return the booking as it is now.

        Raises:
            Discard: It has moved on while the mail waited; another mail tells that.
        """
        booking = await self._bookings.get_booking(user_id=notice.user_id, booking_id=notice.subject_id)
        if not is_news(notice.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            raise Discard(f"The booking {booking.id} is {booking.status} by now.")
        customer = await self._accounts.get_user(user_id=booking.customer_id)
        return BookingDetails(
            booking=booking,
            customer_name=customer.name,
            calendar=await self._find_calendar(notice),
        )

    async def _find_calendar(self, notice: Notice) -> str | None:
        if not notice.changes_calendar:
            return None
        return await self._bookings.get_calendar(user_id=notice.user_id, booking_id=notice.subject_id)
