"""Bookings as their sides, and other modules, see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Booking, BookingNotFound, BookingPage, BookingSide, BookingStatus, BookingView
from fairground.contracts.payments import Payments
from fairground.kernel.inputs import PAGED_AT_MOST, TimeCursor, offset_of
from fairground.modules.booking.deals.domain.calendar import write_calendar
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.domain.view import booking_of, side_of, view_of
from fairground.modules.booking.deals.store import bookings, lists
from fairground.modules.booking.deals.store.bookings import UnreadableBooking
from fairground.platform.db.database import Database

log = structlog.get_logger(__name__)


class BookingQueries:
    def __init__(
        self, *, db: Database, accounts: Accounts, payments: Payments, public_url: str, organizer: str
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._payments = payments
        self._public_url = public_url
        self._organizer = organizer

    async def get_booking(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        record, now = await self._get(booking_id)
        record.side_of(user_id)
        payment = await self._payments.find_payment(reference_id=booking_id)
        return view_of(record, viewer_id=user_id, payment=payment, now=now)

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
            found = await lists.list_page(
                tx, user_id=user_id, side=actor, status=status, after=after, offset=offset, limit=limit + 1
            )
            total = await lists.count_up_to(tx, user_id=user_id, side=actor, status=status, most=PAGED_AT_MOST + 1)
            now = await tx.current_time()
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].starts_at, id=shown[-1].id) if len(found) > limit else None
        return BookingPage(
            data=await self._views(_readable(shown), viewer_id=user_id, now=now),
            total=min(total, PAGED_AT_MOST),
            total_is_lower_bound=total > PAGED_AT_MOST,
            next_cursor=None if end is None else end.write(),
        )

    async def _views(self, records: Sequence[BookingRecord], *, viewer_id: UUID, now: datetime) -> list[BookingView]:
        payments = await self._payments.find_payments(reference_ids=[record.id for record in records])
        return [view_of(record, viewer_id=viewer_id, payment=payments.get(record.id), now=now) for record in records]

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None:
        try:
            record, _ = await self._get(booking_id)
        except BookingNotFound:
            return None
        return side_of(record)

    async def get_calendar(self, *, user_id: UUID, booking_id: UUID) -> str:
        record, _ = await self._get(booking_id)
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
        record, _ = await self._get(booking_id)
        return booking_of(record)

    async def _get(self, booking_id: UUID) -> tuple[BookingRecord, datetime]:
        async with self._db.read() as tx:
            return await bookings.get_booking(tx, booking_id=booking_id)


def _readable(page: Sequence[lists.ListedBooking]) -> list[BookingRecord]:
    """Return the records of a page. A row that cannot be read is logged and left out, and hides no other booking."""
    records = []
    for booking in page:
        if isinstance(booking.record, UnreadableBooking):
            log.error("booking.unreadable", booking_id=str(booking.id), exc_info=booking.record)
        else:
            records.append(booking.record)
    return records
