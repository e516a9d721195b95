"""Bookings as their sides, and other modules, see them."""

from uuid import UUID

from fairground.contracts.booking import Booking, BookingSide, BookingStatus, BookingView
from fairground.modules.booking.domain.calendar import write_calendar
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.store import bookings


class Reading(Desk):
    async def get_booking(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        return await self._show(user_id, booking_id)

    async def list_bookings(
        self, *, user_id: UUID, side: str | None, status: BookingStatus | None, page: int, limit: int
    ) -> tuple[list[BookingView], int]:
        actor = None if side is None else Actor(side)
        async with self._db.read() as tx:
            records = await bookings.list_bookings(
                tx, user_id=user_id, side=actor, status=status, page=page, limit=limit
            )
            total = await bookings.count_bookings(tx, user_id=user_id, side=actor, status=status)
            now = await tx.current_time()
        return await self._views(user_id, records, now=now), total

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None:
        async with self._db.read() as tx:
            record = await bookings.find_booking(tx, booking_id=booking_id)
        if record is None:
            return None
        return BookingSide(
            booking_id=record.id,
            status=record.status,
            customer_id=record.customer_id,
            provider_id=record.provider_id,
            provider_slug=record.provider_slug,
            provider_owner_id=record.provider_owner_id,
        )

    async def get_calendar(self, *, user_id: UUID, booking_id: UUID) -> str:
        record, _ = await self._read(booking_id)
        side = record.side_of(user_id)
        users = await self._accounts.find_users(user_ids={record.customer_id})
        return write_calendar(
            record,
            reader=side,
            customer_name=users[record.customer_id].name if record.customer_id in users else "",
            public_url=self._public_url,
            organizer=self._organizer,
        )

    async def describe_booking(self, *, booking_id: UUID) -> Booking:
        record, _ = await self._read(booking_id)
        return record.public()
