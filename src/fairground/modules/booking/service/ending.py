"""How a booking ends: cancelled by a side, lapsed, or completed."""

from typing import Final
from uuid import UUID

import structlog

from fairground.contracts.booking import BookingStatus, BookingView, PriceChanged
from fairground.contracts.reviews import ReviewSide
from fairground.kernel.errors import Unavailable
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.service.jobs import ExpireBooking
from fairground.modules.booking.store import allocations, bookings
from fairground.platform.jobs.lifecycle import LostLease

log = structlog.get_logger(__name__)

_SWEEP_AT_ONCE: Final = 500


class Ending(Desk):
    async def cancel(self, *, user_id: UUID, booking_id: UUID, expected_refund_minor: int | None = None) -> BookingView:
        async with self._db.write() as tx:
            record, now = await self._lock(tx, booking_id)
            side = record.side_of(user_id)
            refund_minor = record.preview_cancellation(side, now=now).refund_minor
            if expected_refund_minor not in (None, refund_minor):
                raise PriceChanged(
                    f"Cancelling now gives back {refund_minor} {record.currency} in minor units,"
                    f" not {expected_refund_minor}.",
                    hint="Show the amount and cancel again with it.",
                    refund_minor=refund_minor,
                )
            await self._move(tx, record, actor=side, to=BookingStatus.CANCELLED, now=now)
        return await self._show(user_id, booking_id)

    async def complete(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        async with self._db.write() as tx:
            record, now = await self._lock(tx, booking_id)
            side = record.side_of(user_id)
            await self._move(tx, record, actor=side, to=BookingStatus.COMPLETED, now=now)
        return await self._show(user_id, booking_id)

    async def note_review(self, *, booking_id: UUID, side: ReviewSide) -> None:
        """Remember that one side has reviewed the booking, so that it is not asked again."""
        async with self._db.write(ends_job=True) as tx:
            await bookings.mark_reviewed(tx, booking_id=booking_id, side=Actor(side.value))

    async def complete_if_confirmed(self, *, booking_id: UUID) -> None:
        async with self._db.write(ends_job=True) as tx:
            record, now = await self._lock(tx, booking_id)
            if record.status is BookingStatus.CONFIRMED:
                await self._move(tx, record, actor=Actor.SYSTEM, to=BookingStatus.COMPLETED, now=now)

    async def expire_if_lapsed(self, *, booking_id: UUID, was: BookingStatus) -> None:
        """End a hold or a request that has lapsed; look again later at one that was prolonged."""
        async with self._db.write(ends_job=True) as tx:
            record, now = await self._lock(tx, booking_id)
            if record.status is not was or record.lapses_at is None:
                return
            if record.lapses_at > now:
                await tx.enqueue(ExpireBooking(booking_id=booking_id, was=was), delay=record.lapses_at - now)
                return
            await self._move(tx, record, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)

    async def expire_lapsed(self) -> None:
        """End what has lapsed, in case the job of one of them was lost to a restored backup or a dead letter."""
        after: allocations.Lapsed | None = None
        while True:
            async with self._db.read() as tx:
                lapsed = await allocations.list_lapsed(tx, after=after, limit=_SWEEP_AT_ONCE)
            for each in lapsed:
                try:
                    await self._expire_one(each.booking_id)
                except (Unavailable, LostLease):
                    raise
                except Exception:
                    # One booking that cannot be read or ended must not keep the times of all others taken.
                    log.exception("booking.not_expired", booking_id=str(each.booking_id))
            if len(lapsed) < _SWEEP_AT_ONCE:
                return
            after = lapsed[-1]

    async def _expire_one(self, booking_id: UUID) -> None:
        async with self._db.write() as tx:
            record = await bookings.lock_booking(tx, booking_id=booking_id)
            now = await tx.current_time()
            if record is not None and record.lapses_at is not None and record.lapses_at <= now:
                await self._move(tx, record, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)
