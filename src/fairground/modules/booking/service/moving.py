"""The one way in which a booking changes: the row, its time, what others are told, and what has to follow."""

from datetime import datetime, timedelta
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
from fairground.contracts.booking.tags import tags_of_time
from fairground.modules.booking.domain.machine import Actor, require_move
from fairground.modules.booking.domain.record import BookingRecord
from fairground.modules.booking.domain.terms import answer_due
from fairground.modules.booking.service.jobs import CompleteBooking, ExpireBooking, RefundPayment, ReleasePayment
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.store import allocations, bookings
from fairground.platform.db.database import WriteTx


async def move(
    tx: WriteTx,
    record: BookingRecord,
    *,
    actor: Actor,
    to: BookingStatus,
    now: datetime,
    settings: BookingSettings,
    reason: str | None = None,
) -> None:
    """Change the status of a booking that this transaction has locked.

    Raises:
        StatusConflict, NotYet: The table of moves does not allow it.
    """
    require_move(actor, current=record.status, to=to, situation=record.situation(now=now))
    changed = await bookings.change_booking(tx, record, actor=actor, to=to, now=now, reason=reason)
    if changed is None:
        raise StatusConflict(f"The booking {record.id} has just changed.")
    match to:
        case BookingStatus.REQUESTED:
            await _ask_provider(tx, changed, now=now)
        case BookingStatus.CONFIRMED:
            await _confirm(tx, changed, now=now, complete_after=timedelta(hours=settings.complete_after_hours))
        case BookingStatus.COMPLETED:
            await _count(tx, changed)
        case _:
            await allocations.release_time(tx, booking_id=record.id)
            touch_time(tx, record)
            await _give_back(tx, record, actor=actor, now=now)
            await tx.emit(_ending(changed, was=record, actor=actor, now=now))


def touch_time(tx: WriteTx, record: BookingRecord) -> None:
    """Void what is cached of the provider's free times around the booking: it takes its time, or gives it back."""
    for provider in (record.provider_id, record.provider_slug):
        tx.touch(*tags_of_time(provider, starts_at=record.starts_at, ends_at=record.ends_at))


async def _ask_provider(tx: WriteTx, record: BookingRecord, *, now: datetime) -> None:
    due_at = answer_due(hours=record.answer_due_hours, starts_at=record.starts_at, now=now)
    if not await allocations.keep_until(tx, booking_id=record.id, expires_at=due_at):
        raise StatusConflict(f"The time of the booking {record.id} is no longer held.")
    await tx.enqueue(ExpireBooking(booking_id=record.id, was=record.status), delay=max(due_at - now, timedelta(0)))
    await tx.emit(BookingRequested(**_sides(record), answer_due_at=due_at))


async def _confirm(tx: WriteTx, record: BookingRecord, *, now: datetime, complete_after: timedelta) -> None:
    if not await allocations.confirm_time(tx, booking_id=record.id):
        raise StatusConflict(f"The time of the booking {record.id} is no longer held.")
    await tx.enqueue(
        CompleteBooking(booking_id=record.id), delay=max(record.ends_at + complete_after - now, timedelta(0))
    )
    await tx.emit(BookingConfirmed(**_sides(record)))


async def _count(tx: WriteTx, record: BookingRecord) -> None:
    count = await bookings.count_completed(tx, provider_id=record.provider_id)
    await tx.emit(BookingCompleted(**_sides(record), provider_completed_count=count))


async def _give_back(tx: WriteTx, record: BookingRecord, *, actor: Actor, now: datetime) -> None:
    """Ask for the job that moves the money, in the transaction that ends the booking."""
    if record.status is not BookingStatus.CONFIRMED:
        await tx.enqueue(ReleasePayment(booking_id=record.id))
        return
    refund_minor = record.preview_cancellation(actor, now=now).refund_minor
    if refund_minor > 0:
        await tx.enqueue(RefundPayment(booking_id=record.id, amount_minor=refund_minor))


def _ending(
    record: BookingRecord, *, was: BookingRecord, actor: Actor, now: datetime
) -> BookingDeclined | BookingCancelled | BookingExpired:
    match record.status:
        case BookingStatus.DECLINED:
            return BookingDeclined(**_sides(record), reason=record.decline_reason)
        case BookingStatus.EXPIRED:
            return BookingExpired(**_sides(record), was=was.status)
        case _:
            refund_minor = was.preview_cancellation(actor, now=now).refund_minor
            return BookingCancelled(**_sides(record), by=actor.value, was=was.status, refund_minor=refund_minor)


def _sides(record: BookingRecord) -> dict[str, UUID]:
    return {"booking_id": record.id, "customer_id": record.customer_id, "provider_id": record.provider_id}
