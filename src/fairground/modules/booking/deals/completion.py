"""Completed bookings: by a side, by themselves, or made elsewhere and recorded, and the reviews that follow."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fairground.contracts.booking import (
    NOTE_MAX_LENGTH,
    BookingStatus,
    BookingView,
    DetailsInvalid,
    PastBooking,
    SlotTaken,
)
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Offer, Providers
from fairground.contracts.reviews import ReviewWritten
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import (
    BookingRecord,
    check_bookable,
    clean_text,
    new_record,
    view_of,
)
from fairground.modules.booking.deals.transitions import CompleteBooking, Transitions, emit_completed
from fairground.modules.booking.time import store as time_store
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class Completion:
    def __init__(self, *, db: Database, payments: Payments, transitions: Transitions) -> None:
        self._db = db
        self._payments = payments
        self._transitions = transitions

    async def complete(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        async with self._db.write() as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            side = record.side_of(user_id)
            completed = await self._transitions.apply(tx, record, actor=side, to=BookingStatus.COMPLETED, now=now)
        payment = await self._payments.find_payment(reference_id=booking_id)
        return view_of(completed, viewer_id=user_id, payment=payment, now=now)

    async def complete_booking(self, job: CompleteBooking) -> None:
        """Complete a booking of which neither side has said that it took place."""
        async with self._db.write(ends_job=True) as tx:
            record, now = await store.lock_booking(tx, booking_id=job.booking_id)
            if record.status is BookingStatus.CONFIRMED:
                await self._transitions.apply(tx, record, actor=Actor.SYSTEM, to=BookingStatus.COMPLETED, now=now)

    async def note_review(self, event: ReviewWritten) -> None:
        """Store that one side has reviewed the booking, so that a second review is not one of its next steps."""
        async with self._db.write(ends_job=True) as tx:
            await store.mark_reviewed(tx, booking_id=event.booking_id, side=Actor(event.side.value))


class BookingHistory:
    def __init__(self, *, db: Database, providers: Providers, verticals: Verticals) -> None:
        self._db = db
        self._providers = providers
        self._verticals = verticals

    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        offers = {
            service_id: await self._providers.get_offer(service_id=service_id)
            for service_id in {past.service_id for past in bookings}
        }
        async with self._db.write() as tx:
            now = await tx.current_time()
            records = [self._completed(past, offers[past.service_id], now=now) for past in bookings]
            for record in records:
                await _insert(tx, record)
        return [record.id for record in records]

    def _completed(self, past: PastBooking, offer: Offer, *, now: datetime) -> BookingRecord:
        pack, owner_id = check_bookable(offer, self._verticals.find(offer.vertical), customer_id=past.customer_id)
        record = new_record(
            offer,
            pack,
            owner_id=owner_id,
            customer_id=past.customer_id,
            starts_at=past.starts_at,
            timezone=offer.timezone,
            now=past.starts_at,
        )
        if record.ends_at > now:
            raise DetailsInvalid(f"The booking at {past.starts_at.isoformat()} has not ended yet.")
        note = clean_text("note", past.note, most=NOTE_MAX_LENGTH)
        return replace(record, status=BookingStatus.COMPLETED, was_confirmed=True, note=note)


async def _insert(tx: WriteTx, record: BookingRecord) -> None:
    # Not by `Allocations`, which invalidates cached responses: none of them shows the past.
    is_claimed = await time_store.claim_time(
        tx,
        booking_id=record.id,
        provider_id=record.provider_id,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        expires_at=record.ends_at,
    )
    if not is_claimed:
        raise SlotTaken(f"{record.provider_name} was booked at {record.starts_at:%Y-%m-%d %H:%M} UTC already.")
    await time_store.confirm_time(tx, booking_id=record.id)
    await store.insert_booking(tx, record)
    await emit_completed(tx, record)
