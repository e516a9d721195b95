"""The times that a customer holds, and the lock under which they are counted."""

from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from fairground.contracts.booking import BookingStatus
from fairground.modules.booking.deals.tables import BookingRow, CustomerRow
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift

_NOW: Final = bindparam("now", type_=TimeShift())


class LiveHolds(NamedTuple):
    """The times that a customer holds."""

    number: int
    first_lapses_at: datetime | None
    now: datetime


async def lock_customer(tx: WriteTx, *, customer_id: UUID) -> None:
    """Make the customer's own requests follow each other, so that each sees the holds of those before it."""
    await tx.insert_ignore(CustomerRow, [{"customer_id": customer_id}])
    await tx.one_or_none(_customer_lock(tx.ops), {"customer": customer_id})


@lru_cache(maxsize=2)
def _customer_lock(ops: SQLOps) -> Prepared:
    own = CustomerRow.customer_id == bindparam("customer")
    return Prepared(ops.lock_rows(select(CustomerRow.customer_id).where(own)))


async def count_live_holds(tx: ReadTx, *, customer_id: UUID) -> LiveHolds:
    """Return how many times the customer holds, when the first of them lapses, and the database's time."""
    return LiveHolds(*(await tx.one_or_none(_live_holds(tx.ops), {"customer": customer_id, "now": tx.clock_shift})))


@lru_cache(maxsize=2)
def _live_holds(ops: SQLOps) -> Prepared:
    now = ops.now(_NOW)
    return Prepared(
        select(func.count(), func.min(AllocationRow.expires_at), now)
        .select_from(AllocationRow)
        .join(BookingRow, BookingRow.id == AllocationRow.booking_id)
        .where(
            BookingRow.customer_id == bindparam("customer"),
            BookingRow.status == BookingStatus.HELD.value,
            # Without the allocation's state, which follows from the status: with it, the planner of SQLite would begin
            # with the holds and requests of all customers.
            AllocationRow.expires_at > now,
        )
    )
