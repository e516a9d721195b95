"""From a held time to a request or a confirmation, by way of the customer's card."""

from uuid import UUID

from fairground.contracts.booking import BookingStatus, BookingView, HoldLapsed, StatusConflict
from fairground.contracts.payments import Payment, PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.modules.booking.domain.machine import ENDED_WITHOUT, Actor, follow_payment
from fairground.modules.booking.domain.record import BookingRecord, not_found
from fairground.modules.booking.domain.terms import prolong_hold
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.service.jobs import ReleasePayment
from fairground.modules.booking.store import allocations, bookings

_HAS_MONEY = (PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED)


class Paying(Desk):
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
        await self._settle(booking_id, payment)
        view = await self._show(customer_id, booking_id)
        if view.status in ENDED_WITHOUT:
            raise HoldLapsed(f"The time was {view.status} while you paid.")
        return view

    async def _prolong_hold(self, *, customer_id: UUID, booking_id: UUID) -> BookingRecord:
        """See that the time is still held, and keep it long enough to pay."""
        async with self._db.write() as tx:
            record, now = await self._lock(tx, booking_id)
            if record.side_of(customer_id) is not Actor.CUSTOMER:
                raise not_found(booking_id)
            if record.status is BookingStatus.EXPIRED:
                raise HoldLapsed("The time was held for you, but not paid for in time.")
            if record.status is not BookingStatus.HELD or record.expires_at is None:
                raise StatusConflict(f"The booking is {record.status}, so there is nothing to pay.")
            until = prolong_hold(lapses_at=record.expires_at, held_since=record.created_at, now=now)
            if until is None:
                raise HoldLapsed("The time was held for you, but not paid for in time.")
            await allocations.keep_until(tx, booking_id=booking_id, expires_at=until)
        return record

    async def settle_payment(self, *, customer_id: UUID, booking_id: UUID) -> BookingView:
        record, _ = await self._read(booking_id)
        if record.side_of(customer_id) is not Actor.CUSTOMER:
            raise not_found(booking_id)
        await self._settle(booking_id, await self._payments.refresh(reference_id=booking_id))
        return await self._show(customer_id, booking_id)

    async def settle(self, *, booking_id: UUID) -> None:
        """Bring a booking into line with its payment, whoever died on the way; repeating it changes nothing."""
        await self._settle(booking_id, await self._payments.find_payment(reference_id=booking_id))

    async def _settle(self, booking_id: UUID, payment: Payment | None) -> None:
        # A payment on its way back confirms nothing: another card has replaced it, or the booking has ended.
        if payment is None or payment.status not in _HAS_MONEY or payment.is_being_released:
            return
        status = payment.status
        async with self._db.read() as tx:
            record = await bookings.find_booking(tx, booking_id=booking_id)
        if record is None:
            return  # paid for something that is not a booking
        if record.status is BookingStatus.HELD and record.booking_mode is BookingMode.INSTANT:
            status = (await self._payments.capture(reference_id=booking_id)).status
        async with self._db.write(ends_job=True) as tx:
            record, now = await self._lock(tx, booking_id)
            following = follow_payment(current=record.status, booking_mode=record.booking_mode, payment=status)
            if following is not None:
                actor, to = following
                await self._move(tx, record, actor=actor, to=to, now=now)
            elif record.status in ENDED_WITHOUT and not record.was_confirmed:
                await tx.enqueue(ReleasePayment(booking_id=booking_id))
