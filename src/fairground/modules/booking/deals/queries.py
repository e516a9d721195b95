"""Bookings as their sides and other modules see them: one, lists of them, and those that a new zone concerns."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import Accounts, LiveBooking
from fairground.contracts.booking import (
    CALENDAR_MAX_BOOKINGS,
    CALENDAR_MAX_DAYS,
    Booking,
    BookingNotFound,
    BookingPage,
    BookingRange,
    BookingSide,
    BookingStatus,
    BookingView,
    DetailsInvalid,
    EndedHolds,
)
from fairground.contracts.payments import Payments
from fairground.contracts.providers import BookingAtOtherTime
from fairground.kernel.inputs import PAGED_AT_MOST, TimeCursor, offset_of
from fairground.kernel.zones import get_zone
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.contacts import Contacts
from fairground.modules.booking.deals.domain.icalendar_file import write_calendar
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.domain.views import booking_of, listed_view_of, side_of, view_of
from fairground.modules.booking.deals.rows import readable
from fairground.platform.db.database import Database

_LIVE_MAX: Final = 100


class BookingQueries:
    def __init__(
        self,
        *,
        db: Database,
        accounts: Accounts,
        contacts: Contacts,
        payments: Payments,
        public_url: str,
        organizer: str,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._contacts = contacts
        self._payments = payments
        self._public_url = public_url
        self._organizer = organizer

    async def get_booking(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        record, now = await self._get(booking_id)
        side = record.side_of(user_id)
        payment = await self._payments.find_payment(reference_id=booking_id)
        contact = await self._contacts.find_contact(record, reader=side)
        view = view_of(record, viewer_id=user_id, payment=payment, now=now)
        return view.model_copy(update={"contact": contact})

    async def list_bookings(
        self,
        *,
        user_id: UUID,
        side: str | None,
        status: BookingStatus | None,
        ended_holds: EndedHolds = EndedHolds.INCLUDED,
        page: int = 1,
        limit: int,
        cursor: str | None = None,
    ) -> BookingPage:
        actor = None if side is None else Actor(side)
        after = None if cursor is None else TimeCursor.read(cursor)
        offset = offset_of(page=page, limit=limit) if after is None else 0
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_page(
                tx,
                user_id=user_id,
                side=actor,
                status=status,
                ended_holds=ended_holds,
                after=after,
                offset=offset,
                limit=limit + 1,
            )
            total = await store.count_up_to(
                tx, user_id=user_id, side=actor, status=status, ended_holds=ended_holds, most=PAGED_AT_MOST + 1
            )
            now = await tx.current_time()
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].starts_at, id=shown[-1].id) if len(found) > limit else None
        return BookingPage(
            data=await self._views(readable(booking.record for booking in shown), viewer_id=user_id, now=now),
            total=min(total, PAGED_AT_MOST),
            total_is_lower_bound=total > PAGED_AT_MOST,
            next_cursor=None if end is None else end.write(),
        )

    async def list_bookings_between(self, *, owner_id: UUID, starts_at: datetime, ends_at: datetime) -> BookingRange:
        if not timedelta(0) < ends_at - starts_at <= timedelta(days=CALENDAR_MAX_DAYS):
            raise DetailsInvalid(
                f"{starts_at.isoformat()} to {ends_at.isoformat()} is not a time of up to {CALENDAR_MAX_DAYS} days.",
                hint="Give the start and a later end.",
            )
        async with self._db.read() as tx:
            # One more than is shown tells whether any are left out.
            found = await store.list_between(
                tx, owner_id=owner_id, starts_at=starts_at, ends_at=ends_at, limit=CALENDAR_MAX_BOOKINGS + 1
            )
        shown = readable(found[:CALENDAR_MAX_BOOKINGS])
        return BookingRange(data=[booking_of(each) for each in shown], is_cut=len(found) > CALENDAR_MAX_BOOKINGS)

    async def _views(self, records: Sequence[BookingRecord], *, viewer_id: UUID, now: datetime) -> list[BookingView]:
        payments = await self._payments.find_payments(reference_ids=[record.id for record in records])
        return [
            listed_view_of(record, viewer_id=viewer_id, payment=payments.get(record.id), now=now) for record in records
        ]

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None:
        try:
            record, _ = await self._get(booking_id)
        except BookingNotFound:
            return None
        return side_of(record)

    async def find_booking_sides(self, *, booking_ids: Collection[UUID]) -> dict[UUID, BookingSide]:
        return {record.id: side_of(record) for record in await self._list(booking_ids)}

    async def get_calendar(self, *, user_id: UUID, booking_id: UUID) -> str:
        record, _ = await self._get(booking_id)
        side = record.side_of(user_id)
        users = await self._accounts.find_users(user_ids={record.customer_id})
        return write_calendar(
            record,
            reader=side,
            contact=await self._contacts.find_contact(record, reader=side),
            customer_name=users[record.customer_id].name if record.customer_id in users else "",
            public_url=self._public_url,
            organizer=self._organizer,
        )

    async def describe_booking(self, *, booking_id: UUID) -> Booking:
        record, _ = await self._get(booking_id)
        return booking_of(record)

    async def describe_bookings(self, *, booking_ids: Collection[UUID]) -> dict[UUID, Booking]:
        return {record.id: booking_of(record) for record in await self._list(booking_ids)}

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        """Return the bookings ahead whose wall times another zone of their provider changes (ADR-0024)."""
        async with self._db.read() as tx:
            ahead = readable(await store.list_ahead(tx, provider_id=provider_id))
        return [_in_zone(record, timezone) for record in ahead if _is_at_other_time(record, timezone)]

    async def list_live_bookings(self, *, user_id: UUID) -> list[LiveBooking]:
        async with self._db.read() as tx:
            found = readable(await store.list_live_of(tx, user_id=user_id, limit=_LIVE_MAX))
        return [
            LiveBooking(
                booking_id=record.id,
                service_name=record.service_name,
                starts_at=record.starts_at,
                timezone=record.timezone,
                side=record.side_of(user_id).value,
            )
            for record in found
        ]

    async def _get(self, booking_id: UUID) -> tuple[BookingRecord, datetime]:
        async with self._db.read() as tx:
            return await store.get_booking(tx, booking_id=booking_id)

    async def _list(self, booking_ids: Collection[UUID]) -> list[BookingRecord]:
        async with self._db.read() as tx:
            return readable(await store.list_bookings(tx, booking_ids=booking_ids))


def _is_at_other_time(record: BookingRecord, timezone: str) -> bool:
    times = (record.starts_at, record.ends_at)
    return any(_wall_time(at, record.timezone) != _wall_time(at, timezone) for at in times)


def _in_zone(record: BookingRecord, timezone: str) -> BookingAtOtherTime:
    return BookingAtOtherTime(
        booking_id=record.id,
        service_name=record.service_name,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        timezone=record.timezone,
        wall_time=_wall_time(record.starts_at, record.timezone),
        new_timezone=timezone,
        new_wall_time=_wall_time(record.starts_at, timezone),
    )


def _wall_time(instant: datetime, timezone: str) -> str:
    return instant.astimezone(get_zone(timezone)).replace(tzinfo=None).isoformat(timespec="minutes")
