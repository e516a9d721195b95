"""Bookings that were made elsewhere: a provider's history comes along."""

from datetime import datetime
from uuid import UUID

from fairground.contracts.booking import BookingCompleted, BookingStatus, DetailsInvalid, PastBooking, SlotTaken
from fairground.contracts.providers import Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.domain.record import BookingRecord, new_record
from fairground.modules.booking.service.holding import Holding
from fairground.modules.booking.store import allocations, bookings
from fairground.platform.db.database import WriteTx


class History(Holding):
    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        offers = {
            service_id: await self._catalog.get_offer(service_id=service_id)
            for service_id in {past.service_id for past in bookings}
        }
        async with self._db.write() as tx:
            now = await tx.current_time()
            records = [self._completed(past, offers[past.service_id], now=now) for past in bookings]
            for record in records:
                await _write_down(tx, record)
        return [record.id for record in records]

    def _completed(self, past: PastBooking, offer: Offer, *, now: datetime) -> BookingRecord:
        pack, owner_id = self._who_can_be_booked(offer, customer_id=past.customer_id)
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
        completed = {"status": BookingStatus.COMPLETED, "was_confirmed": True, "note": past.note}
        return record.model_copy(update=completed)


async def _write_down(tx: WriteTx, record: BookingRecord) -> None:
    claim = allocations.Claim(
        id=uuid7(),
        booking_id=record.id,
        provider_id=record.provider_id,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        expires_at=record.ends_at,
    )
    if not await allocations.claim_time(tx, claim):
        raise SlotTaken(f"{record.provider_name} was booked at {record.starts_at:%Y-%m-%d %H:%M} UTC already.")
    await allocations.confirm_time(tx, booking_id=record.id)
    await bookings.insert_booking(tx, record)
    count = await bookings.count_completed(tx, provider_id=record.provider_id)
    await tx.emit(
        BookingCompleted(
            booking_id=record.id,
            customer_id=record.customer_id,
            provider_id=record.provider_id,
            provider_completed_count=count,
        )
    )
