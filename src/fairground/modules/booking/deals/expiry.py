"""Ends lapsed holds and requests: in their own job, when another hold needs the time, or in a regular sweep."""

from typing import ClassVar, Final
from uuid import UUID

import structlog

from fairground.contracts.booking import BookingNotFound, BookingStatus
from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Job
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.rows import UnreadableBooking
from fairground.modules.booking.deals.transitions import ExpireBooking, Transitions
from fairground.modules.booking.time.allocations import Allocation
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs.lifecycle import LostLease

log = structlog.get_logger(__name__)

_SWEEP_AT_ONCE: Final = 500


class ExpireLapsed(Job):
    """End all holds and requests that have lapsed and that no other job has ended."""

    topic: ClassVar = "booking.expire_lapsed.v1"


class Expiry:
    def __init__(self, *, db: Database, transitions: Transitions) -> None:
        self._db = db
        self._transitions = transitions

    async def expire_booking(self, job: ExpireBooking) -> None:
        """End a hold or a request that has lapsed. If it was prolonged, the job is enqueued for the new end."""
        async with self._db.write(ends_job=True) as tx:
            record, now = await store.lock_booking(tx, booking_id=job.booking_id)
            if record.status is not job.was or record.lapses_at is None:
                return
            if record.lapses_at > now:
                await tx.enqueue(job, delay=record.lapses_at - now)
                return
            await self._transitions.apply(tx, record, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)

    async def expire_overlapping(self, tx: WriteTx, allocation: Allocation) -> None:
        """End the lapsed bookings that overlap a new hold, because the overlap guard still counts them."""
        lapsed = await time_store.lock_lapsed_in_the_way(
            tx,
            provider_id=allocation.provider_id,
            starts_at=allocation.starts_at,
            ends_at=allocation.ends_at,
        )
        for booking_id in lapsed:
            try:
                await self._expire(tx, booking_id)
            except UnreadableBooking:
                # It keeps its time until its row is repaired, so the claim finds the time taken.
                log.exception("booking.not_expired", booking_id=str(booking_id))

    async def expire_lapsed(self, _job: ExpireLapsed | None = None) -> None:
        """End every lapsed hold and request, because a job can be lost to a restored backup or a dead letter."""
        after: time_store.Lapsed | None = None
        while True:
            async with self._db.read() as tx:
                lapsed = await time_store.list_lapsed(tx, after=after, limit=_SWEEP_AT_ONCE)
            for each in lapsed:
                try:
                    async with self._db.write() as tx:
                        await self._expire(tx, each.booking_id)
                except BookingNotFound:
                    continue
                except (Unavailable, LostLease):
                    raise
                except Exception:
                    # One booking that cannot be ended must not stop the sweep of the others.
                    log.exception("booking.not_expired", booking_id=str(each.booking_id))
            if len(lapsed) < _SWEEP_AT_ONCE:
                return
            after = lapsed[-1]

    async def _expire(self, tx: WriteTx, booking_id: UUID) -> None:
        """End a hold or a request, unless it was prolonged or has ended meanwhile."""
        record, now = await store.lock_booking(tx, booking_id=booking_id)
        if record.lapses_at is not None and record.lapses_at <= now:
            await self._transitions.apply(tx, record, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)
