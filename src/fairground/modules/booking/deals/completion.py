"""Completed bookings: by a side, by themselves, or made elsewhere and recorded, and the reviews that follow."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fairground.contracts.booking import (
    NOTE_MAX_LENGTH,
    BookingStatus,
    BookingView,
    DetailsInvalid,
    PastBooking,
    PastBookingsRecorded,
    SlotTaken,
)
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Offer, Providers
from fairground.contracts.reviews import PastReviewsRecorded, ReviewWritten
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.details import clean_text
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, check_bookable, new_record
from fairground.modules.booking.deals.domain.views import view_of
from fairground.modules.booking.deals.store import counters
from fairground.modules.booking.deals.transitions import CompleteBooking, Transitions
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.database import Database
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
            await store.mark_reviewed(tx, booking_ids=[event.booking_id], side=Actor(event.side.value))

    async def note_past_reviews(self, event: PastReviewsRecorded) -> None:
        """Do the same for many reviews."""
        async with self._db.write(ends_job=True) as tx:
            for side, booking_ids in event.booking_ids.items():
                await store.mark_reviewed(tx, booking_ids=booking_ids, side=Actor(side.value))


class BookingHistory:
    def __init__(self, *, db: Database, providers: Providers, verticals: Verticals) -> None:
        self._db = db
        self._providers = providers
        self._verticals = verticals

    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        if not bookings:
            return []
        offers = await self._providers.get_offers(service_ids={past.service_id for past in bookings})
        async with self._db.write() as tx:
            now = await tx.current_time()
            records = [self._completed(past, offers[past.service_id], now=now) for past in bookings]
            # Not by `Allocations`, which invalidates cached responses: none of them shows the past.
            taken = await time_store.take_times(tx, [_taken_time(record) for record in records])
            if taken is not None:
                raise _taken(taken, records)
            await store.insert_bookings(tx, records)
            counts = await counters.add_completed(tx, Counter(record.provider_id for record in records))
            await tx.emit(PastBookingsRecorded(completed_counts=counts))
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


def _taken_time(record: BookingRecord) -> time_store.TakenTime:
    return time_store.TakenTime(record.id, record.provider_id, record.starts_at, record.ends_at)


def _taken(time: time_store.TakenTime, records: Sequence[BookingRecord]) -> SlotTaken:
    [name] = [record.provider_name for record in records if record.id == time.booking_id]
    return SlotTaken(f"{name} is already booked at {time.starts_at:%Y-%m-%d %H:%M} UTC.")
