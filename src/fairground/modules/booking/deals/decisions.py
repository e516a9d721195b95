"""What the provider decides on a request."""

from uuid import UUID

from fairground.contracts.booking import REASON_MAX_LENGTH, BookingStatus, BookingView, StatusConflict
from fairground.contracts.payments import Payments
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.checkout import Settlement
from fairground.modules.booking.deals.domain.details import clean_text
from fairground.modules.booking.deals.domain.machine import Actor, require_transition
from fairground.modules.booking.deals.domain.record import not_found
from fairground.modules.booking.deals.domain.views import view_of
from fairground.modules.booking.deals.transitions import Transitions
from fairground.platform.db.database import Database


class RequestDecisions:
    def __init__(self, *, db: Database, payments: Payments, settlement: Settlement, transitions: Transitions) -> None:
        self._db = db
        self._payments = payments
        self._settlement = settlement
        self._transitions = transitions

    async def accept(self, *, owner_id: UUID, booking_id: UUID) -> BookingView:
        async with self._db.read() as tx:
            record, now = await store.get_booking(tx, booking_id=booking_id)
        if record.side_of(owner_id) is not Actor.PROVIDER:
            raise not_found(booking_id)
        require_transition(
            Actor.PROVIDER, current=record.status, to=BookingStatus.CONFIRMED, situation=record.situation(now=now)
        )
        # Taken before the booking is confirmed: a provider must never work for money that then does not come.
        payment = await self._payments.capture(reference_id=booking_id)
        settled = await self._settlement.advance(booking_id, payment)
        status = settled.record.status
        if status not in (BookingStatus.CONFIRMED, BookingStatus.COMPLETED):
            raise StatusConflict(f"The booking was {status} while you accepted it; the customer gets the money back.")
        return view_of(settled.record, viewer_id=owner_id, payment=settled.payment, now=settled.now)

    async def decline(self, *, owner_id: UUID, booking_id: UUID, reason: str | None) -> BookingView:
        reason = clean_text("reason", reason, most=REASON_MAX_LENGTH)
        async with self._db.write() as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            if record.side_of(owner_id) is not Actor.PROVIDER:
                raise not_found(booking_id)
            declined = await self._transitions.apply(
                tx, record, actor=Actor.PROVIDER, to=BookingStatus.DECLINED, now=now, reason=reason
            )
        payment = await self._payments.find_payment(reference_id=booking_id)
        return view_of(declined, viewer_id=owner_id, payment=payment, now=now)
