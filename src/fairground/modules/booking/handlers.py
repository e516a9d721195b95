"""Reactions to what others and booking itself tell, and the bodies of booking's own jobs."""

from collections.abc import Mapping
from typing import Final, get_args

from fairground.contracts.booking import (
    AvailabilityRulesSet,
    BookingCancelled,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
)
from fairground.contracts.payments import PaymentAuthorised, PaymentCaptured, PaymentFailed, Payments
from fairground.contracts.providers import ProviderSchedules, ProviderTimezoneSet, ServicesChanged
from fairground.contracts.reviews import ReviewWritten
from fairground.kernel.messages import Event, Message
from fairground.modules.booking.service.booking import BookingService
from fairground.modules.booking.service.jobs import (
    CompleteBooking,
    ExpireBooking,
    ExpireLapsed,
    RefundPayment,
    ReleasePayment,
)
from fairground.platform.module import Handler

_ChangeOfFreeDays = (
    BookingHeld | BookingDeclined | BookingCancelled | BookingExpired | AvailabilityRulesSet | ServicesChanged
)
_CHANGES_FREE_DAYS: Final[tuple[type[Event], ...]] = get_args(_ChangeOfFreeDays)


class BookingHandlers:
    """Each is idempotent: it looks at how the booking stands, not at how it stood when the message was written."""

    def __init__(self, *, service: BookingService, payments: Payments, schedules: ProviderSchedules) -> None:
        self._service = service
        self._schedules = schedules
        self._payments = payments

    def table(self) -> Mapping[type[Message], Handler]:
        return {
            PaymentAuthorised: self.follow_payment,
            PaymentCaptured: self.follow_payment,
            **dict.fromkeys(_CHANGES_FREE_DAYS, self.tell_free_days),
            ReviewWritten: self.note_review,
            ProviderTimezoneSet: self.follow_timezone,
            ExpireBooking: self.expire_booking,
            ExpireLapsed: self.expire_lapsed,
            CompleteBooking: self.complete_booking,
            ReleasePayment: self.release_payment,
            RefundPayment: self.refund_payment,
        }

    async def follow_payment(self, event: PaymentAuthorised | PaymentCaptured) -> None:
        try:
            await self._service.settle(booking_id=event.reference_id)
        except PaymentFailed:
            # The capture of an instant booking was refused for good: the hold lapses, and that gives the money back.
            return

    async def tell_free_days(self, event: _ChangeOfFreeDays) -> None:
        await self._service.tell_free_days(provider_id=event.provider_id)

    async def note_review(self, event: ReviewWritten) -> None:
        await self._service.note_review(booking_id=event.booking_id, side=event.side)

    async def follow_timezone(self, event: ProviderTimezoneSet) -> None:
        await self._schedules.follow_timezone(event)
        await self._service.tell_free_days(provider_id=event.provider_id)

    async def expire_booking(self, job: ExpireBooking) -> None:
        await self._service.expire_if_lapsed(booking_id=job.booking_id, was=job.was)

    async def expire_lapsed(self, _job: ExpireLapsed) -> None:
        await self._service.expire_lapsed()

    async def complete_booking(self, job: CompleteBooking) -> None:
        await self._service.complete_if_confirmed(booking_id=job.booking_id)

    async def release_payment(self, job: ReleasePayment) -> None:
        await self._payments.release(reference_id=job.booking_id)

    async def refund_payment(self, job: RefundPayment) -> None:
        await self._payments.refund(
            reference_id=job.booking_id, amount_minor=job.amount_minor, key=f"cancel:{job.booking_id}"
        )
