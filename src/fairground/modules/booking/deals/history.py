"""Bookings that were made elsewhere: a provider's history comes along."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fairground.contracts.booking import NOTE_MAX_LENGTH, BookingStatus, DetailsInvalid, PastBooking, SlotTaken
from fairground.contracts.providers import Offer, Providers
from fairground.modules.booking.deals.domain.record import BookingRecord, check_bookable, new_record
from fairground.modules.booking.deals.domain.terms import clean_text
from fairground.modules.booking.deals.store import bookings as store
from fairground.modules.booking.deals.transitions import emit_completed
from fairground.modules.booking.time import store as time_store
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class BookingHistory:
    def __init__(self, *, db: Database, catalog: Providers, verticals: Verticals) -> None:
        self._db = db
        self._catalog = catalog
        self._verticals = verticals

    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        offers = {
            service_id: await self._catalog.get_offer(service_id=service_id)
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
    if not await time_store.claim_time(tx, record.allocation, expires_at=record.ends_at):
        raise SlotTaken(f"{record.provider_name} was booked at {record.starts_at:%Y-%m-%d %H:%M} UTC already.")
    await time_store.confirm_time(tx, booking_id=record.id)
    await store.insert_booking(tx, record)
    await emit_completed(tx, record)
