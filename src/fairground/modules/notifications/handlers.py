"""Handlers of events and jobs: notifiers add notifications, the email sender sends them."""

from typing import Final

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import (
    OwnProvider,
    ProviderApproved,
    ProviderRejected,
    Providers,
    ProviderStatus,
    ProviderSubmitted,
)
from fairground.contracts.reviews import ProviderRated, Reviews
from fairground.kernel.zones import Clock
from fairground.modules.notifications import store
from fairground.modules.notifications.domain import (
    BOOKING_RULES,
    Audience,
    BookingEvent,
    NotificationRecord,
    changes_calendar,
    is_current,
    was_only_held,
)
from fairground.modules.notifications.renderers import BookingDetails, EmailRenderer, NotificationRenderer
from fairground.modules.notifications.service import NotificationService, SendEmail
from fairground.platform.db.database import Database
from fairground.platform.jobs.lifecycle import CancelJob
from fairground.platform.mail.mailer import Mailer

STAFF_MAX: Final = 100  # users of the staff that one submission notifies, in one transaction


class BookingNotifier:
    """Notifies the sides of a booking of its transitions."""

    def __init__(
        self,
        *,
        service: NotificationService,
        renderer: NotificationRenderer,
        bookings: Bookings,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._bookings = bookings
        self._accounts = accounts
        self._clock = clock

    async def notify_sides(self, event: BookingEvent) -> None:
        sides = await self._bookings.find_booking_side(booking_id=event.booking_id)
        if sides is None or was_only_held(event):
            return
        booking = await self._bookings.describe_booking(booking_id=event.booking_id)
        if not is_current(event.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            return
        customer = await self._accounts.get_user(user_id=sides.customer_id)
        users = {Audience.CUSTOMER: sides.customer_id, Audience.PROVIDER: sides.provider_owner_id}
        await self._service.add_notifications(
            [
                self._renderer.render(
                    event.topic,
                    audience=audience,
                    user_id=users[audience],
                    subject_id=booking.id,
                    changes_calendar=changes_calendar(event),
                    event=event,
                    booking=booking,
                    customer_name=customer.name,
                )
                for audience in BOOKING_RULES[event.topic].audiences
            ]
        )


class ProviderNotifier:
    """Notifies staff of submitted profiles, and owners of decisions and reviews."""

    def __init__(
        self,
        *,
        service: NotificationService,
        renderer: NotificationRenderer,
        catalog: Providers,
        reviews: Reviews,
        accounts: Accounts,
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._catalog = catalog
        self._reviews = reviews
        self._accounts = accounts

    async def notify_staff(self, event: ProviderSubmitted) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not ProviderStatus.SUBMITTED:
            return
        staff = await self._accounts.list_users(role=Role.ADMIN, limit=STAFF_MAX)
        await self._service.add_notifications(
            [
                self._renderer.render(
                    event.topic,
                    audience=Audience.STAFF,
                    user_id=user.id,
                    subject_id=event.provider_id,
                    occasion=_submission(provider),
                    provider=provider,
                )
                for user in staff
            ]
        )

    async def notify_of_approval(self, event: ProviderApproved) -> None:
        await self._notify_of_decision(event, ProviderStatus.APPROVED)

    async def notify_of_rejection(self, event: ProviderRejected) -> None:
        await self._notify_of_decision(event, ProviderStatus.REJECTED)

    async def _notify_of_decision(self, event: ProviderApproved | ProviderRejected, decided: ProviderStatus) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not decided:
            return
        notification = self._renderer.render(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=event.owner_id,
            subject_id=event.provider_id,
            occasion=_submission(provider),
            event=event,
        )
        await self._service.add_notifications([notification])

    async def notify_of_review(self, event: ProviderRated) -> None:
        if event.review_id is None:
            return
        provider = await self._catalog.get_provider_ref(provider_id=event.provider_id)
        review = await self._reviews.find_review(review_id=event.review_id)
        if provider.owner_id is None or review is None:
            return
        notification = self._renderer.render(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=provider.owner_id,
            subject_id=event.provider_id,
            occasion=str(event.rating_count),
            provider=provider,
            review=review,
            rating_count=event.rating_count,
            rating=event.rating_sum / event.rating_count,
        )
        await self._service.add_notifications([notification])


def _submission(provider: OwnProvider) -> str:
    """Return a text that differs for each submission of a profile."""
    return provider.submitted_at.isoformat() if provider.submitted_at else ""


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
        return BookingDetails(booking=booking, customer_name=customer.name, calendar=calendar)
