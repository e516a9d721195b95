"""What staff read of bookings: lists over all accounts, the log of one booking, and figures."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select, union, union_all

from fairground.contracts.booking import BookingStatus
from fairground.contracts.booking.staff import BookingChange
from fairground.kernel.inputs import TimeCursor
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.rows import ListedBooking, UnreadableBooking, read_or_refuse
from fairground.modules.booking.deals.store import list_bookings, select_bookings
from fairground.modules.booking.deals.tables import BookingRow, ChangeRow
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.paging import is_within
from fairground.platform.db.types import constant

_LAPSING: Final = frozenset({BookingStatus.HELD, BookingStatus.REQUESTED})
_STARTS: Final[Select[Any]] = select(BookingRow.id).add_columns(BookingRow.starts_at)
_CHANGES_MAX: Final = 100  # a booking changes its status a handful of times


async def search(
    tx: ReadTx,
    *,
    user_ids: Collection[UUID] | None,
    status: BookingStatus | None,
    from_at: datetime | None,
    before_at: datetime | None,
    after: TimeCursor | None,
    limit: int,
) -> list[ListedBooking]:
    """Return bookings, the latest start first.

    Each side of each account, or without accounts each status, is one range; the ranges are merged.

    Args:
        user_ids: Accounts on either side; None is all accounts.
    """
    await tx.prefer_indexes()
    within = is_within(BookingRow.starts_at, BookingRow.id, from_at=from_at, before_at=before_at, after=after)
    ranges = [
        each.where(*within).order_by(BookingRow.starts_at.desc(), BookingRow.id.desc()).limit(limit).subquery()
        for each in _ranges(user_ids, status)
    ]
    if not ranges:
        return []
    # Of two accounts that are found, one may have booked the other, so a booking can be in two ranges.
    merged = union(*(select(each.c.id, each.c.starts_at) for each in ranges)).subquery()
    page = select(merged.c.id, merged.c.starts_at).order_by(merged.c.starts_at.desc(), merged.c.id.desc())
    entries = await tx.all(page.limit(limit))
    found = await list_bookings(tx, booking_ids=[entry.id for entry in entries]) if entries else []
    records = {_id_of(record): record for record in found}
    return [ListedBooking(id=entry.id, starts_at=entry.starts_at, record=records[entry.id]) for entry in entries]


def _ranges(user_ids: Collection[UUID] | None, status: BookingStatus | None) -> list[Select[Any]]:
    if user_ids is None:
        return [_of_status(each) for each in (BookingStatus if status is None else [status])]
    has_status = [] if status is None else [BookingRow.status == status.value]
    sides = (BookingRow.customer_id, BookingRow.provider_owner_id)
    return [_STARTS.where(side == user_id, *has_status) for user_id in user_ids for side in sides]


def _of_status(status: BookingStatus) -> Select[Any]:
    """Select the bookings of one status: from the index of those that are settled, or by the allocations that lapse."""
    has_status = BookingRow.status == constant(status.value)
    if status not in _LAPSING:
        return _STARTS.where(has_status)
    lapsing = _STARTS.join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
    return lapsing.where(AllocationRow.state == constant("held"), has_status)


def _id_of(record: BookingRecord | UnreadableBooking) -> UUID:
    return record.booking_id if isinstance(record, UnreadableBooking) else record.id


async def list_changes(tx: ReadTx, *, booking_id: UUID) -> list[BookingChange]:
    """Return the changes of a booking's status, the oldest first."""
    of_booking = select(*ChangeRow.__table__.columns).where(ChangeRow.booking_id == booking_id)
    rows = await tx.all(of_booking.order_by(ChangeRow.version).limit(_CHANGES_MAX))
    return [
        BookingChange(
            version=row.version,
            actor=row.actor,
            from_status=None if row.from_status is None else BookingStatus(row.from_status),
            to_status=BookingStatus(row.to_status),
            changed_at=row.changed_at,
            acted_by=row.acted_by,
            on_behalf_of=row.on_behalf_of,
            reason=row.reason,
            refund_minor=row.refund_minor,
        )
        for row in rows
    ]


async def count_in(
    tx: ReadTx,
    statuses: Sequence[BookingStatus],
    *,
    from_at: datetime | None = None,
    before_at: datetime | None = None,
    most: int,
) -> int:
    """Return how many bookings have one of the statuses and start in a time, or `most` where there are more."""
    within = is_within(BookingRow.starts_at, BookingRow.id, from_at=from_at, before_at=before_at, after=None)
    ranges = [_of_status(status).where(*within).limit(most).subquery() for status in statuses]
    found = union_all(*(select(each.c.id) for each in ranges)).subquery()
    count: int = await tx.scalar(select(func.count()).select_from(found))
    return min(count, most)


async def count_cancelled(tx: ReadTx, *, since: datetime, most: int) -> int:
    cancelled = select(BookingRow.id).where(
        BookingRow.status == constant(BookingStatus.CANCELLED.value), BookingRow.changed_at >= since
    )
    count: int = await tx.scalar(select(func.count()).select_from(cancelled.limit(most).subquery()))
    return count


async def list_due(tx: ReadTx, *, within: timedelta, limit: int) -> list[BookingRecord | UnreadableBooking]:
    """Return the requests that lapse soon, the first ones first.

    Holds lapse within minutes and are in the same range of the index, so few of them are read beside.
    """
    is_due = (
        AllocationRow.state == constant("held"),
        AllocationRow.expires_at > tx.now(),
        AllocationRow.expires_at <= tx.now(within),
        BookingRow.status == constant(BookingStatus.REQUESTED.value),
    )
    due = select_bookings().where(*is_due).order_by(AllocationRow.expires_at).limit(limit)
    rows: Sequence[Any] = await tx.all(due)
    return [read_or_refuse(row) for row in rows]
