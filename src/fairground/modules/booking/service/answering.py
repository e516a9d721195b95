"""What the provider answers to a request."""

from uuid import UUID

from fairground.contracts.booking import BookingStatus, BookingView, StatusConflict
from fairground.modules.booking.domain.machine import Actor, require_move
from fairground.modules.booking.domain.record import not_found
from fairground.modules.booking.domain.terms import REASON_MAX_LENGTH, clean_text
from fairground.modules.booking.service.paying import Paying


class Answering(Paying):
    async def accept(self, *, owner_id: UUID, booking_id: UUID) -> BookingView:
        record, now = await self._read(booking_id)
        if record.side_of(owner_id) is not Actor.PROVIDER:
            raise not_found(booking_id)
        require_move(
            Actor.PROVIDER, current=record.status, to=BookingStatus.CONFIRMED, situation=record.situation(now=now)
        )
        # Taken before the booking is confirmed: a provider must never work for money that then does not come.
        await self._settle(booking_id, await self._payments.capture(reference_id=booking_id))
        view = await self._show(owner_id, booking_id)
        if view.status not in (BookingStatus.CONFIRMED, BookingStatus.COMPLETED):
            raise StatusConflict(
                f"The booking was {view.status} while you accepted it; the customer gets the money back."
            )
        return view

    async def decline(self, *, owner_id: UUID, booking_id: UUID, reason: str | None) -> BookingView:
        reason = clean_text("reason", reason, most=REASON_MAX_LENGTH)
        async with self._db.write() as tx:
            record, now = await self._lock(tx, booking_id)
            if record.side_of(owner_id) is not Actor.PROVIDER:
                raise not_found(booking_id)
            await self._move(tx, record, actor=Actor.PROVIDER, to=BookingStatus.DECLINED, now=now, reason=reason)
        return await self._show(owner_id, booking_id)
