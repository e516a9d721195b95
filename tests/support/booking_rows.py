"""Many bookings, written straight into the tables, beside the booking of a test."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from fairground.contracts.booking import BookingStatus
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.time.store.allocations import PERSON
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import Database

_AT_ONCE: Final = 1_000
_HOUR: Final = timedelta(hours=1)


async def add_requests(
    db: Database,
    *,
    count: int,
    customers: Sequence[UUID] = (),
    owners: Sequence[UUID] = (),
    statuses: Sequence[BookingStatus] = (BookingStatus.REQUESTED,),
) -> None:
    """Write bookings that wait for an answer, each of another customer and provider unless some are given in turn."""
    async with db.read() as tx:
        now = await tx.current_time()
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        rows = [
            _row(
                now + timedelta(days=3, minutes=number),
                customer_id=customers[number % len(customers)] if customers else uuid7(),
                owner_id=owners[number % len(owners)] if owners else uuid7(),
                status=statuses[number % len(statuses)],
                now=now,
            )
            for number in numbers
        ]
        async with db.write() as tx:
            await tx.insert_many(BookingRow, rows)
            await tx.insert_many(AllocationRow, [_allocation(row, expires_at=now + timedelta(days=2)) for row in rows])


def analyze(db: Database) -> None:
    """Let PostgreSQL count the rows, as its own daemon does a minute after an insert. SQLite plans without counts."""
    if db.backend.ops.name == "sqlite":
        return
    engine = db.backend.migration_engine()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM (ANALYZE) booking_booking, booking_allocation"))
    engine.dispose()


def _row(
    starts_at: datetime, *, customer_id: UUID, owner_id: UUID, status: BookingStatus, now: datetime
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "version": 2,
        "status": status.value,
        "booking_mode": "request",
        "customer_id": customer_id,
        "provider_id": uuid7(),
        "provider_owner_id": owner_id,
        "provider_name": "Ada Lovelace",
        "provider_slug": "ada",
        "service_id": uuid7(),
        "service_name": "Algebra",
        "vertical": "tutors",
        "starts_at": starts_at,
        "ends_at": starts_at + _HOUR,
        "timezone": "UTC",
        "starts_wall": f"{starts_at:%Y-%m-%dT%H:%M}",
        "starts_fold": 0,
        "place": None,
        "price_minor": 5000,
        "note": None,
        "party_size": None,
        "total_minor": 5_000,
        "currency": "EUR",
        "cancellation": {"steps": []},
        "answer_due_hours": 48,
        "decline_reason": None,
        "was_confirmed": False,
        "has_customer_review": False,
        "has_provider_review": False,
        "created_at": now,
        "changed_at": now,
    }


def _allocation(booking: dict[str, Any], *, expires_at: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "resource_id": booking["provider_id"],
        "unit": PERSON,
        "blocked_from": booking["starts_at"],
        "blocked_until": booking["ends_at"],
        "state": "held",
        "expires_at": expires_at,
        "booking_id": booking["id"],
        "version": 1,
    }
