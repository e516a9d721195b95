"""Completed bookings: by a side, or by themselves, and the reviews that follow."""

from uuid import UUID

from fairground.contracts.booking import BookingStatus, BookingView
from fairground.contracts.payments import Payments
from fairground.contracts.reviews import ReviewWritten
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.view import view_of
from fairground.modules.booking.deals.jobs import CompleteBooking
from fairground.modules.booking.deals.store import bookings
from fairground.modules.booking.deals.transitions import Transitions
from fairground.platform.db.database import Database


class Completion:
    def __init__(self, *, db: Database, payments: Payments, transitions: Transitions) -> None:
        self._db = db
        self._payments = payments
        self._transitions = transitions

    async def complete(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        async with self._db.write() as tx:
            record, now = await bookings.lock_booking(tx, booking_id=booking_id)
            side = record.side_of(user_id)
            completed = await self._transitions.apply(tx, record, actor=side, to=BookingStatus.COMPLETED, now=now)
        payment = await self._payments.find_payment(reference_id=booking_id)
        return view_of(completed, viewer_id=user_id, payment=payment, now=now)

    async def complete_booking(self, job: CompleteBooking) -> None:
        """Complete a booking of which neither side has said that it took place."""
        async with self._db.write(ends_job=True) as tx:
            record, now = await bookings.lock_booking(tx, booking_id=job.booking_id)
            if record.status is BookingStatus.CONFIRMED:
                await self._transitions.apply(tx, record, actor=Actor.SYSTEM, to=BookingStatus.COMPLETED, now=now)

    async def note_review(self, event: ReviewWritten) -> None:
        """Remember that one side has reviewed the booking, so that it is not asked again."""
        async with self._db.write(ends_job=True) as tx:
            await bookings.mark_reviewed(tx, booking_id=event.booking_id, side=Actor(event.side.value))
