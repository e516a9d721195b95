"""The only place where a booking's status changes, together with its allocation, its events and its follow-up jobs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    BookingStatus,
    StatusConflict,
)
from fairground.kernel.messages import Job, Queue
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor, require_transition
from fairground.modules.booking.deals.domain.record import BookingRecord, StaffDecision, answer_due
from fairground.modules.booking.deals.rows import allocation_of
from fairground.modules.booking.deals.store import counters
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.time.allocations import Allocations
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.database import WriteTx

# Two days at least: an outage of the processor must not keep a customer's money.
_MONEY_ATTEMPTS: Final = 110


class ExpireBooking(Job):
    """End a hold or a request that has lapsed when the job runs."""

    topic: ClassVar = "booking.expire.v1"
    booking_id: UUID
    was: BookingStatus


class CompleteBooking(Job):
    """Complete a confirmed booking if neither side has done so."""

    topic: ClassVar = "booking.complete.v1"
    booking_id: UUID


class ReleasePayment(Job):
    """Give back everything that was paid for a booking that was never confirmed."""

    topic: ClassVar = "booking.release_payment.v1"
    queue: ClassVar = Queue.MONEY
    max_attempts: ClassVar = _MONEY_ATTEMPTS
    booking_id: UUID


class RefundPayment(Job):
    """Give back what the cancellation policy says."""

    topic: ClassVar = "booking.refund_payment.v1"
    queue: ClassVar = Queue.MONEY
    max_attempts: ClassVar = _MONEY_ATTEMPTS
    booking_id: UUID
    amount_minor: int


class Transitions:
    def __init__(self, *, allocations: Allocations, settings: BookingSettings) -> None:
        self._allocations = allocations
        self._complete_after = timedelta(hours=settings.complete_after_hours)

    async def apply(
        self,
        tx: WriteTx,
        record: BookingRecord,
        *,
        actor: Actor,
        to: BookingStatus,
        now: datetime,
        reason: str | None = None,
        decision: StaffDecision | None = None,
    ) -> BookingRecord:
        """Change the status of a booking that this transaction has locked, and return the changed record.

        Args:
            reason: Of a provider who declines, for the customer.
            decision: Of staff who cancel.

        Raises:
            StatusConflict: The table of transitions does not allow it, the booking has changed meanwhile, or its time
                is no longer held.
            NotYet: The table of transitions allows it only later.
        """
        require_transition(actor, current=record.status, to=to, situation=record.situation(now=now))
        changed = await store.change_booking(tx, record, actor=actor, to=to, now=now, reason=reason, decision=decision)
        if changed is None:
            raise StatusConflict(f"The booking {record.id} has just changed.")
        match to:
            case BookingStatus.REQUESTED:
                return await _ask_provider(tx, changed, now=now)
            case BookingStatus.CONFIRMED:
                await self._confirm(tx, changed, now=now)
            case BookingStatus.COMPLETED:
                await emit_completed(tx, changed)
            case _:
                await self._allocations.release(tx, allocation_of(record))
                previewed = record.preview_cancellation(actor, now=now)
                refund_minor = previewed.refund_minor if decision is None else decision.refund_minor
                await _give_back(tx, record, refund_minor=refund_minor)
                for_side = None if decision is None else decision.on_behalf_of.value
                ending = _ending(changed, was=record.status, by=actor, for_side=for_side, refund_minor=refund_minor)
                await tx.emit(ending)
        return changed

    async def _confirm(self, tx: WriteTx, record: BookingRecord, *, now: datetime) -> None:
        if not await time_store.confirm_time(tx, booking_id=record.id):
            raise _no_longer_held(record)
        delay = max(record.ends_at + self._complete_after - now, timedelta(0))
        await tx.enqueue(CompleteBooking(booking_id=record.id), delay=delay)
        await tx.emit(BookingConfirmed(**_sides(record)))


async def emit_completed(tx: WriteTx, record: BookingRecord) -> None:
    """Announce a completed booking with the provider's new total."""
    count = await counters.count_completed(tx, provider_id=record.provider_id)
    await tx.emit(BookingCompleted(**_sides(record), provider_completed_count=count))


async def _ask_provider(tx: WriteTx, record: BookingRecord, *, now: datetime) -> BookingRecord:
    due_at = answer_due(hours=record.answer_due_hours, starts_at=record.starts_at, now=now)
    if not await time_store.keep_until(tx, booking_id=record.id, expires_at=due_at):
        raise _no_longer_held(record)
    await tx.enqueue(ExpireBooking(booking_id=record.id, was=record.status), delay=max(due_at - now, timedelta(0)))
    await tx.emit(BookingRequested(**_sides(record), answer_due_at=due_at))
    return replace(record, lapses_at=due_at)


async def _give_back(tx: WriteTx, record: BookingRecord, *, refund_minor: int) -> None:
    """Enqueue the job that moves the money, in the transaction that ends the booking."""
    if record.status is not BookingStatus.CONFIRMED:
        await tx.enqueue(ReleasePayment(booking_id=record.id))
        return
    if refund_minor > 0:
        await tx.enqueue(RefundPayment(booking_id=record.id, amount_minor=refund_minor))


def _ending(
    record: BookingRecord, *, was: BookingStatus, by: Actor, for_side: str | None, refund_minor: int
) -> BookingDeclined | BookingCancelled | BookingExpired:
    match record.status:
        case BookingStatus.DECLINED:
            return BookingDeclined(**_sides(record), reason=record.decline_reason)
        case BookingStatus.EXPIRED:
            return BookingExpired(**_sides(record), was=was)
        case _:
            return BookingCancelled(
                **_sides(record),
                by=by.value,
                on_behalf_of=for_side,
                was=was,
                refund_minor=refund_minor,
            )


def _no_longer_held(record: BookingRecord) -> StatusConflict:
    return StatusConflict(f"The slot of booking {record.id} is no longer held.")


def _sides(record: BookingRecord) -> dict[str, UUID]:
    return {"booking_id": record.id, "customer_id": record.customer_id, "provider_id": record.provider_id}
