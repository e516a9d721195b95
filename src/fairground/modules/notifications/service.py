"""Notifications as the contract promises them, and the notifiers that add them when something happened."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings, Receipt, ReceiptNotFound
from fairground.contracts.notifications import NotificationPage
from fairground.contracts.payments import PaymentReleased, RefundMade
from fairground.contracts.providers import (
    OwnProvider,
    ProviderApproved,
    ProviderRejected,
    Providers,
    ProviderStatus,
    ProviderSubmitted,
)
from fairground.contracts.providers.claims import (
    Claims,
    ClaimStatus,
    ProviderClaimed,
    ProviderClaimRefused,
    ProviderClaimRequested,
)
from fairground.contracts.providers.staff import ProviderRestored, ProviderSuspended
from fairground.contracts.reviews import ProviderRated, ReviewHidden, ReviewRestored, Reviews, ReviewSide
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
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
from fairground.modules.notifications.emails import SendEmail
from fairground.platform.db.database import Database

STAFF_MAX: Final = 100  # users of the staff that one submission notifies, in one transaction


class NotificationService:
    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def list_notifications(self, *, user_id: UUID, limit: int, cursor: str | None = None) -> NotificationPage:
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_notifications(tx, user_id=user_id, after=after, limit=limit + 1)
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return NotificationPage(data=shown, next_cursor=None if end is None else end.write())

    async def count_unread(self, *, user_id: UUID) -> int:
        async with self._db.read() as tx:
            return await store.count_unread(tx, user_id=user_id)

    async def mark_read(self, *, user_id: UUID, notification_ids: Collection[UUID]) -> None:
        async with self._db.write() as tx:
            await store.mark_read(tx, user_id=user_id, notification_ids=notification_ids)

    async def add_notifications(self, notifications: Sequence[NotificationRecord]) -> None:
        """Store the notifications that are new and enqueue their emails; the current job ends with it."""
        async with self._db.write(ends_job=True) as tx:
            now = await tx.current_time()
            for notification in notifications:
                notification_id = uuid7()
                if await store.insert_notification(tx, notification, notification_id=notification_id, created_at=now):
                    await tx.enqueue(SendEmail(notification_id=notification_id))


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


class RefundNotifier:
    """Notifies customers of money that was given back."""

    def __init__(self, *, service: NotificationService, renderer: NotificationRenderer, bookings: Bookings) -> None:
        self._service = service
        self._renderer = renderer
        self._bookings = bookings

    async def notify_customer(self, event: PaymentReleased) -> None:
        if not event.refunded_minor:
            return  # an authorisation was voided: no money had been taken
        sides = await self._bookings.find_booking_side(booking_id=event.reference_id)
        if sides is None:
            return
        try:
            receipt = await self._bookings.get_receipt(user_id=sides.customer_id, booking_id=event.reference_id)
        except ReceiptNotFound:
            return
        notification = self._renderer.render(
            event.topic,
            audience=Audience.CUSTOMER,
            user_id=sides.customer_id,
            subject_id=event.reference_id,
            occasion=str(event.refunded_minor),
            receipt=receipt,
            refund=_refund_of(event, receipt),
        )
        await self._service.add_notifications([notification])


def _refund_of(event: PaymentReleased, receipt: Receipt) -> RefundMade:
    """Return the refund with which the event's sum was reached; all of it as one, where several came between."""
    so_far = 0
    for refund in receipt.refunds:
        so_far += refund.amount_minor
        if so_far == event.refunded_minor:
            return refund
    return RefundMade(amount_minor=event.refunded_minor, refunded_at=receipt.captured_at)


class ProviderNotifier:
    """Notifies staff of submitted profiles, and owners of decisions and reviews."""

    def __init__(
        self,
        *,
        service: NotificationService,
        renderer: NotificationRenderer,
        providers: Providers,
        reviews: Reviews,
        accounts: Accounts,
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._providers = providers
        self._reviews = reviews
        self._accounts = accounts

    async def notify_staff(self, event: ProviderSubmitted) -> None:
        provider = await self._providers.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not ProviderStatus.SUBMITTED:
            return
        staff = await self._accounts.list_staff(limit=STAFF_MAX)
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
        provider = await self._providers.get_provider_for_review(provider_id=event.provider_id)
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

    async def notify_of_suspension(self, event: ProviderSuspended | ProviderRestored) -> None:
        if event.owner_id is None:
            return
        provider = await self._providers.get_provider_for_review(provider_id=event.provider_id)
        if (provider.suspension_reason is not None) != isinstance(event, ProviderSuspended):
            return  # it was changed back meanwhile
        notification = self._renderer.render(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=event.owner_id,
            subject_id=event.provider_id,
            occasion=str(event.version),
            event=event,
        )
        await self._service.add_notifications([notification])

    async def notify_of_review(self, event: ProviderRated) -> None:
        if event.review_id is None:
            return
        provider = await self._providers.get_provider_ref(provider_id=event.provider_id)
        review = await self._reviews.find_review(review_id=event.review_id)
        if provider.owner_id is None or review is None or review.hidden_reason is not None:
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


class ReviewNotifier:
    """Notifies the authors of reviews that staff hide or restore."""

    def __init__(
        self, *, service: NotificationService, renderer: NotificationRenderer, providers: Providers, reviews: Reviews
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._providers = providers
        self._reviews = reviews

    async def notify_author(self, event: ReviewHidden | ReviewRestored) -> None:
        review = await self._reviews.find_review(review_id=event.review_id)
        if review is None or (review.hidden_reason is not None) != isinstance(event, ReviewHidden):
            return  # it was changed back meanwhile
        notification = self._renderer.render(
            event.topic,
            audience=Audience.CUSTOMER if review.side is ReviewSide.CUSTOMER else Audience.PROVIDER,
            user_id=event.author_id,
            subject_id=event.review_id,
            occasion=str(event.occasion),
            event=event,
            review=review,
            provider=await self._providers.get_provider_ref(provider_id=review.provider_id),
        )
        await self._service.add_notifications([notification])


class ClaimNotifier:
    """Notifies staff of claims that wait, and claimants of decisions."""

    def __init__(
        self, *, service: NotificationService, renderer: NotificationRenderer, claims: Claims, accounts: Accounts
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._claims = claims
        self._accounts = accounts

    async def notify_staff(self, event: ProviderClaimRequested) -> None:
        claim = await self._claims.get_claim(claim_id=event.claim_id)
        if claim.status is not ClaimStatus.WAITING:
            return
        staff = await self._accounts.list_staff(limit=STAFF_MAX)
        await self._service.add_notifications(
            [
                self._renderer.render(
                    event.topic,
                    audience=Audience.STAFF,
                    user_id=user.id,
                    subject_id=event.provider_id,
                    occasion=str(event.claim_id),
                    event=event,
                    claimant=claim.claimant_name,
                )
                for user in staff
            ]
        )

    async def notify_owner(self, event: ProviderClaimed) -> None:
        await self._notify_claimant(event, user_id=event.owner_id, occasion="")

    async def notify_of_refusal(self, event: ProviderClaimRefused) -> None:
        await self._notify_claimant(event, user_id=event.user_id, occasion=str(event.claim_id))

    async def _notify_claimant(
        self, event: ProviderClaimed | ProviderClaimRefused, *, user_id: UUID, occasion: str
    ) -> None:
        notification = self._renderer.render(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=user_id,
            subject_id=event.provider_id,
            occasion=occasion,
            event=event,
        )
        await self._service.add_notifications([notification])


def _submission(provider: OwnProvider) -> str:
    """Return a text that differs for each submission of a profile."""
    return provider.submitted_at.isoformat() if provider.submitted_at else ""
