"""Bookings as their sides, and other modules, see them."""

from uuid import UUID

from fairground.contracts.booking import Booking, BookingPage, BookingSide, BookingStatus, BookingView
from fairground.kernel.paging import PAGED_AT_MOST, TimeCursor, offset_of
from fairground.modules.booking.domain.calendar import write_calendar
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.store import booking_lists, bookings


class Reading(Desk):
    async def get_booking(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        return await self._show(user_id, booking_id)

    async def list_bookings(
        self,
        *,
        user_id: UUID,
        side: str | None,
        status: BookingStatus | None,
        page: int = 1,
        limit: int,
        cursor: str | None = None,
    ) -> BookingPage:
        actor = None if side is None else Actor(side)
        after = None if cursor is None else TimeCursor.read(cursor)
        offset = offset_of(page=page, limit=limit) if after is None else 0
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await booking_lists.list_page(
                tx, user_id=user_id, side=actor, status=status, after=after, offset=offset, limit=limit + 1
            )
            total = await booking_lists.count_up_to(
                tx, user_id=user_id, side=actor, status=status, most=PAGED_AT_MOST + 1
            )
            now = await tx.current_time()
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].starts_at, id=shown[-1].id) if len(found) > limit else None
        return BookingPage(
            data=await self._views(user_id, shown, now=now),
            total=min(total, PAGED_AT_MOST),
            total_is_lower_bound=total > PAGED_AT_MOST,
            next_cursor=None if end is None else end.write(),
        )

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
