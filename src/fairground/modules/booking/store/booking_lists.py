"""Pages of a user's bookings: their ids from an index, then the rows of that one page."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, desc, func, literal, select, tuple_, union_all

from fairground.contracts.booking import BookingStatus
from fairground.kernel.paging import TimeCursor
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.domain.record import BookingRecord
from fairground.modules.booking.store.bookings import as_record, select_bookings
from fairground.modules.booking.tables import BookingRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.dialect.expressions import among


async def list_page(
    tx: ReadTx,
    *,
    user_id: UUID,
    side: Actor | None,
    status: BookingStatus | None,
    after: TimeCursor | None,
    offset: int,
    limit: int,
) -> list[BookingRecord]:
    """Return the bookings on one side of the user, or on both, the latest start first.

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
        ids: list[UUID] = await tx.scalars(found.offset(offset).limit(limit))
    else:
        # Ordered as a whole and not from outside, so that both databases merge the two indexes and sort nothing.
        both = union_all(*branches).order_by(desc("starts_at"), desc("id"))
        ids = await tx.scalars(both.offset(offset).limit(limit))
    rows = await tx.all(select_bookings().where(among(BookingRow.id, ids))) if ids else []
    records = {record.id: record for record in map(as_record, rows)}
    return [records[booking_id] for booking_id in ids]


async def count_up_to(tx: ReadTx, *, user_id: UUID, side: Actor | None, status: BookingStatus | None, most: int) -> int:
    """Return how many bookings the lists of these words hold, or `most` where there are as many or more."""
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
