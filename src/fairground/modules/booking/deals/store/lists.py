"""Lists of bookings: the pages of a user, and what lies ahead of a provider."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, desc, func, literal, select, tuple_, union_all

from fairground.contracts.booking import BookingStatus
from fairground.kernel.paging import TimeCursor
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.store.bookings import UnreadableBooking, record_of, select_bookings
from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.time import store as time_store
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import among


class ListedBooking(NamedTuple):
    """A booking of a page; without a record where its row cannot be read."""

    id: UUID
    starts_at: datetime
    record: BookingRecord | UnreadableBooking


async def list_ahead(tx: ReadTx, *, provider_id: UUID) -> list[BookingRecord]:
    """Return the provider's live bookings that have not ended, by their start."""
    is_ahead = time_store.live_from(provider_id, tx.now())
    statement = select_bookings().where(*is_ahead).order_by(BookingRow.starts_at)
    return [record_of(row) for row in await tx.all(statement)]


async def list_page(
    tx: ReadTx,
    *,
    user_id: UUID,
    side: Actor | None,
    status: BookingStatus | None,
    after: TimeCursor | None,
    offset: int,
    limit: int,
) -> list[ListedBooking]:
    """Return the bookings on one side of the user, or on both, the latest start first.

    Their ids come from an index, then the rows of that one page.

    Args:
        after: Where the page before this one ended; None begins with the first booking.
        offset: How many more to leave out. Each is a step in an index.
    """
    branches = [branch.add_columns(BookingRow.starts_at) for branch in _branches(user_id, side, status)]
    if after is not None:
        # Only the start narrows the index on both databases; the id decides among equal starts.
        behind = tuple_(BookingRow.starts_at, BookingRow.id) < tuple_(
            literal(after.at, BookingRow.starts_at.type), literal(after.id, BookingRow.id.type)
        )
        branches = [branch.where(behind) for branch in branches]
    if len(branches) == 1:
        found = branches[0].order_by(BookingRow.starts_at.desc(), BookingRow.id.desc())
        page = await tx.all(found.offset(offset).limit(limit))
    else:
        # Ordered as a whole and not from outside, so that both databases merge the two indexes and sort nothing.
        both = union_all(*branches).order_by(desc("starts_at"), desc("id"))
        page = await tx.all(both.offset(offset).limit(limit))
    ids = [entry.id for entry in page]
    rows = await tx.all(select_bookings().where(among(BookingRow.id, ids))) if ids else []
    records = {row.id: _read_or_refuse(row) for row in rows}
    return [ListedBooking(id=entry.id, starts_at=entry.starts_at, record=records[entry.id]) for entry in page]


async def count_up_to(tx: ReadTx, *, user_id: UUID, side: Actor | None, status: BookingStatus | None, most: int) -> int:
    """Return how many bookings such a list holds, or `most` where there are as many or more."""
    branches = [branch.limit(most).subquery() for branch in _branches(user_id, side, status)]
    found = union_all(*(select(branch.c.id) for branch in branches)).limit(most).subquery()
    count: int = await tx.scalar(select(func.count()).select_from(found))
    return count


def _branches(user_id: UUID, side: Actor | None, status: BookingStatus | None) -> list[Select[Any]]:
    """Return one select for each side, because an OR of two columns is answered from no ordered index."""
    as_customer = select(BookingRow.id).where(BookingRow.customer_id == user_id)
    as_provider = select(BookingRow.id).where(BookingRow.provider_owner_id == user_id)
    match side:
        case Actor.CUSTOMER:
            branches = [as_customer]
        case Actor.PROVIDER:
            branches = [as_provider]
        case _:
            # No booking is in both lists: a provider cannot book their own service.
            branches = [as_customer, as_provider]
    return branches if status is None else [each.where(BookingRow.status == status.value) for each in branches]


def _read_or_refuse(row: Any) -> BookingRecord | UnreadableBooking:
    try:
        return record_of(row)
    except UnreadableBooking as error:
        return error
