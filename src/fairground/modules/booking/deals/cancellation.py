"""Cancelling, and the money that goes back."""

import contextlib
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import AccountClosed
from fairground.contracts.booking import BookingStatus, BookingView, PriceChanged, StatusConflict
from fairground.contracts.payments import Payments, RefundTooLarge
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.views import view_of
from fairground.modules.booking.deals.rows import readable
from fairground.modules.booking.deals.transitions import RefundPayment, ReleasePayment, Transitions
from fairground.platform.db.database import Database

_LIVE_MAX: Final = 100  # of one account, in one run of the handler


class Cancellation:
    def __init__(self, *, db: Database, payments: Payments, transitions: Transitions) -> None:
        self._db = db
        self._payments = payments
        self._transitions = transitions

    async def cancel(self, *, user_id: UUID, booking_id: UUID, expected_refund_minor: int | None = None) -> BookingView:
        async with self._db.write() as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            side = record.side_of(user_id)
            refund_minor = record.preview_cancellation(side, now=now).refund_minor
            if expected_refund_minor not in (None, refund_minor):
                raise PriceChanged(
                    f"The refund is now {refund_minor} {record.currency} (minor units), not {expected_refund_minor}.",
                    hint="Show the new amount and cancel again.",
                    refund_minor=refund_minor,
                )
            cancelled = await self._transitions.apply(tx, record, actor=side, to=BookingStatus.CANCELLED, now=now)
        payment = await self._payments.find_payment(reference_id=booking_id)
        return view_of(cancelled, viewer_id=user_id, payment=payment, now=now)

    async def follow_closed_account(self, event: AccountClosed) -> None:
        """Cancel what was booked after the check of an account that was closed."""
        async with self._db.read() as tx:
            found = await store.list_live_of(tx, user_id=event.user_id, limit=_LIVE_MAX)
        for record in readable(found):
            # Its other side may have ended it since.
            with contextlib.suppress(StatusConflict):
                await self.cancel(user_id=event.user_id, booking_id=record.id)

    async def release_payment(self, job: ReleasePayment) -> None:
        await self._payments.release(reference_id=job.booking_id)

    async def refund_payment(self, job: RefundPayment) -> None:
        key = f"cancel:{job.booking_id}"
        try:
            await self._payments.refund(reference_id=job.booking_id, amount_minor=job.amount_minor, key=key)
        except RefundTooLarge as refusal:
            # Staff have given a part back already; the rest of the payment is all there is.
            left_minor: int = refusal.context["left_minor"]
            if left_minor > 0:
                await self._payments.refund(reference_id=job.booking_id, amount_minor=left_minor, key=key)
