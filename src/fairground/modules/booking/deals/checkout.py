"""Checkout: turns a hold into a request or a confirmation with the customer's card.

`Settlement` brings a booking into line with its payment, wherever an earlier attempt stopped.
"""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from fairground.contracts.booking import BookingNotFound, BookingStatus, BookingView, HoldLapsed, StatusConflict
from fairground.contracts.payments import (
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    Payments,
    PaymentStatus,
)
from fairground.contracts.providers import BookingMode
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import ENDED_WITHOUT, Actor, follow_payment
from fairground.modules.booking.deals.domain.record import BookingRecord, not_found, prolong_hold
from fairground.modules.booking.deals.domain.views import view_of
from fairground.modules.booking.deals.transitions import ReleasePayment, Transitions
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.database import Database

_HAS_MONEY: Final = (PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A booking and its payment after both were brought into line, and the database's time then."""

    record: BookingRecord
    payment: Payment | None
    now: datetime


class Settlement:
    """Brings a booking into line with its payment. Repeating it changes nothing."""

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
            # Read after the processor has answered: a hold that has ended meanwhile must cost its customer nothing.
            record, now = await store.get_booking(tx, booking_id=booking_id)
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
                record, now = await store.get_booking(tx, booking_id=booking_id)
            return Settled(record=record, payment=payment, now=now)
        async with self._db.write(ends_job=True) as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            change = follow_payment(current=record.status, booking_mode=record.booking_mode, payment=payment.status)
            if change is not None:
                actor, to = change
                record = await self._transitions.apply(tx, record, actor=actor, to=to, now=now)
            elif record.status in ENDED_WITHOUT and not record.was_confirmed:
                await tx.enqueue(ReleasePayment(booking_id=booking_id))
        return Settled(record=record, payment=payment, now=now)


class Checkout:
    def __init__(self, *, db: Database, payments: Payments, settlement: Settlement, public_url: str) -> None:
        self._db = db
        self._payments = payments
        self._settlement = settlement
        self._public_url = public_url

    async def pay(self, *, customer_id: UUID, booking_id: UUID, payment_method: str) -> BookingView:
        record = await self._prolong_hold(customer_id=customer_id, booking_id=booking_id)
        payment = await self._payments.authorise(
            reference_id=booking_id,
            payer_id=customer_id,
            amount_minor=record.total_minor,
            currency=record.currency,
            payment_method=payment_method,
            return_url=f"{self._public_url}/book/{booking_id}/return",
        )
        settled = await self._settle(record, payment)
        if settled.record.status in ENDED_WITHOUT:
            raise HoldLapsed(f"The time was {settled.record.status} while you paid.")
        return view_of(settled.record, viewer_id=customer_id, payment=settled.payment, now=settled.now)

    async def settle_payment(self, *, customer_id: UUID, booking_id: UUID) -> BookingView:
        async with self._db.read() as tx:
            record, _ = await store.get_booking(tx, booking_id=booking_id)
        if record.side_of(customer_id) is not Actor.CUSTOMER:
            raise not_found(booking_id)
        settled = await self._settle(record, await self._payments.refresh(reference_id=booking_id))
        return view_of(settled.record, viewer_id=customer_id, payment=settled.payment, now=settled.now)

    async def follow_payment(self, event: PaymentAuthorised | PaymentCaptured) -> None:
        """Do what the payer's own request would have done, in case that request was interrupted."""
        payment = await self._payments.find_payment(reference_id=event.reference_id)
        # Not found: something else was paid for. Failed: the capture of an instant booking was refused for good; the
        # hold lapses, and that gives the money back.
        with contextlib.suppress(BookingNotFound, PaymentFailed):
            await self._settlement.settle(event.reference_id, payment)

    async def _settle(self, record: BookingRecord, payment: Payment | None) -> Settled:
        # The mode of a booking never changes, and only an instant booking is captured at once.
        settle = self._settlement.settle if record.booking_mode is BookingMode.INSTANT else self._settlement.advance
        return await settle(record.id, payment)

    async def _prolong_hold(self, *, customer_id: UUID, booking_id: UUID) -> BookingRecord:
        """Return the booking, held for long enough to pay."""
        async with self._db.write() as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            if record.side_of(customer_id) is not Actor.CUSTOMER:
                raise not_found(booking_id)
            if record.status is BookingStatus.EXPIRED:
                raise HoldLapsed("The time was held for you, but not paid for in time.")
            if record.status is not BookingStatus.HELD or record.lapses_at is None:
                raise StatusConflict(f"The booking is {record.status}, so there is nothing to pay.")
            until = prolong_hold(lapses_at=record.lapses_at, held_since=record.created_at, now=now)
            if until is None:
                raise HoldLapsed("The time was held for you, but not paid for in time.")
            await time_store.keep_until(tx, booking_id=booking_id, expires_at=until)
        return replace(record, lapses_at=until)


def _carries_money(payment: Payment | None) -> bool:
    """Return whether a payment may confirm something; one that is being released never does."""
    return payment is not None and payment.status in _HAS_MONEY and not payment.is_being_released
