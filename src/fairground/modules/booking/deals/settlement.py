"""Bringing a booking into line with its payment, wherever an earlier attempt ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fairground.contracts.booking import BookingStatus
from fairground.contracts.payments import Payment, Payments, PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.modules.booking.deals.domain.machine import ENDED_WITHOUT, follow_payment
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.jobs import ReleasePayment
from fairground.modules.booking.deals.store import bookings
from fairground.modules.booking.deals.transitions import Transitions
from fairground.platform.db.database import Database

_HAS_MONEY: Final = (PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A booking and its payment after both were brought into line, and the database's time then."""

    record: BookingRecord
    payment: Payment | None
    now: datetime


class Settlement:
    """Repeating it changes nothing."""

    def __init__(self, *, db: Database, payments: Payments, transitions: Transitions) -> None:
        self._db = db
        self._payments = payments
        self._transitions = transitions

    async def settle(self, booking_id: UUID, payment: Payment | None) -> Settled:
        """Take the money of an instant booking that is still held, then advance the booking.

        Raises:
            BookingNotFound: Something else was paid for.
            PaymentFailed, PaymentPending: The money could not be taken.
        """
        async with self._db.read() as tx:
            # After the card was asked: a hold that has ended meanwhile must cost its customer nothing.
            record, now = await bookings.get_booking(tx, booking_id=booking_id)
        if not _carries_money(payment):
            return Settled(record=record, payment=payment, now=now)
        if record.status is BookingStatus.HELD and record.booking_mode is BookingMode.INSTANT:
            payment = await self._payments.capture(reference_id=booking_id)
        return await self.advance(booking_id, payment)

    async def advance(self, booking_id: UUID, payment: Payment | None) -> Settled:
        """Make the transition that the payment calls for; give back the money of a booking that ended before.

        Raises:
            BookingNotFound
            StatusConflict: The table of transitions does not allow it.
        """
        if payment is None or not _carries_money(payment):
            async with self._db.read() as tx:
                record, now = await bookings.get_booking(tx, booking_id=booking_id)
            return Settled(record=record, payment=payment, now=now)
        async with self._db.write(ends_job=True) as tx:
            record, now = await bookings.lock_booking(tx, booking_id=booking_id)
            following = follow_payment(current=record.status, booking_mode=record.booking_mode, payment=payment.status)
            if following is not None:
                actor, to = following
                record = await self._transitions.apply(tx, record, actor=actor, to=to, now=now)
            elif record.status in ENDED_WITHOUT and not record.was_confirmed:
                await tx.enqueue(ReleasePayment(booking_id=booking_id))
        return Settled(record=record, payment=payment, now=now)


def _carries_money(payment: Payment | None) -> bool:
    """Return whether a payment may confirm something; one on its way back never does."""
    return payment is not None and payment.status in _HAS_MONEY and not payment.is_being_released
