"""Bookings, the log of their changes, and the locks and counters beside them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, insert, select, update

from fairground.contracts.booking import BookingStatus
from fairground.kernel.zones import get_zone
from fairground.modules.booking.domain.machine import LIVE, Actor
from fairground.modules.booking.domain.record import BookingRecord
from fairground.modules.booking.store import allocations
from fairground.modules.booking.tables import AllocationRow, BookingRow, ChangeRow, CustomerRow, ProviderCounterRow
from fairground.platform.db.database import ReadTx, WriteTx

_KEPT_ELSEWHERE = {"expires_at", "answer_due_at", "changed_by"}


async def insert_booking(tx: WriteTx, record: BookingRecord) -> None:
    wall = record.starts_at.astimezone(get_zone(record.timezone))
    row = record.model_dump(exclude=_KEPT_ELSEWHERE) | {
        "status": record.status.value,
        "booking_mode": record.booking_mode.value,
        "starts_wall": wall.replace(tzinfo=None).isoformat(timespec="minutes"),
        "starts_fold": wall.fold,
    }
    await tx.execute(insert(BookingRow).values(row))
    await _log_change(tx, record, actor=Actor.CUSTOMER, from_status=None)


async def find_booking(tx: ReadTx, *, booking_id: UUID) -> BookingRecord | None:
    row = await tx.one_or_none(select_bookings().where(BookingRow.id == booking_id))
    return None if row is None else as_record(row)


async def lock_booking(tx: WriteTx, *, booking_id: UUID) -> BookingRecord | None:
    """Return the booking as it will stay until this transaction ends or changes it."""
    await allocations.lock_allocation(tx, booking_id=booking_id)
    return await find_booking(tx, booking_id=booking_id)


async def change_booking(
    tx: WriteTx, record: BookingRecord, *, actor: Actor, to: BookingStatus, now: datetime, reason: str | None = None
) -> BookingRecord | None:
    """Write the new status and log it. Return None when the booking has changed since it was read."""
    changed = record.model_copy(
        update={
            "status": to,
            "version": record.version + 1,
            "decline_reason": reason,
            "was_confirmed": record.was_confirmed or to is BookingStatus.CONFIRMED,
            "changed_at": now,
            "changed_by": actor,
        }
    )
    statement = (
        update(BookingRow)
        .where(
            BookingRow.id == record.id,
            BookingRow.version == record.version,
            BookingRow.status == record.status.value,
        )
        .values(
            status=to.value,
            version=changed.version,
            decline_reason=reason,
            was_confirmed=changed.was_confirmed,
            changed_at=now,
        )
    )
    if await tx.execute(statement) != 1:
        return None
    await _log_change(tx, changed, actor=actor, from_status=record.status)
    return changed


async def _log_change(tx: WriteTx, record: BookingRecord, *, actor: Actor, from_status: BookingStatus | None) -> None:
    await tx.execute(
        insert(ChangeRow).values(
            booking_id=record.id,
            version=record.version,
            actor=actor.value,
            from_status=None if from_status is None else from_status.value,
            to_status=record.status.value,
            changed_at=record.changed_at,
        )
    )


async def lock_customer(tx: WriteTx, *, customer_id: UUID) -> None:
    """Make the customer's own requests follow each other, so that each sees the holds of those before it."""
    await tx.insert_ignore(CustomerRow, [{"customer_id": customer_id}])
    await tx.lock(select(CustomerRow.customer_id).where(CustomerRow.customer_id == customer_id))


async def list_live_holds(tx: ReadTx, *, customer_id: UUID) -> list[datetime]:
    """Return when the customer's holds lapse, the next one first."""
    statement = (
        select(AllocationRow.expires_at)
        .join(BookingRow, BookingRow.id == AllocationRow.booking_id)
        .where(
            BookingRow.customer_id == customer_id,
            BookingRow.status == BookingStatus.HELD.value,
            # Nothing is asked of the allocation's state, which follows from the status: the planner of SQLite would
            # begin with the holds and requests of all customers.
            AllocationRow.expires_at > tx.now(),
        )
        .order_by(AllocationRow.expires_at)
    )
    return await tx.scalars(statement)


async def find_own_id(
    tx: ReadTx, *, customer_id: UUID, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> UUID | None:
    """Return which live booking of the customer's takes some of this time of the provider, the earliest of several."""
    statement = (
        select(BookingRow.id)
        .join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
        .where(
            BookingRow.customer_id == customer_id,
            BookingRow.status.in_([status.value for status in LIVE]),
            AllocationRow.expires_at.is_(None) | (AllocationRow.expires_at > tx.now()),
            BookingRow.provider_id == provider_id,
            BookingRow.starts_at < ends_at,
            BookingRow.ends_at > starts_at,
        )
        .order_by(BookingRow.starts_at)
        .limit(1)
    )
    found: UUID | None = await tx.scalar(statement)
    return found


async def change_details(
    tx: WriteTx, record: BookingRecord, *, details: Mapping[str, str | int | None], now: datetime
) -> BookingRecord:
    """Give a booking that this transaction has locked another note, place and party size."""
    changed = record.model_copy(update={**details, "changed_at": now})
    if changed.model_copy(update={"changed_at": record.changed_at}) == record:
        return record
    await tx.execute(update(BookingRow).where(BookingRow.id == record.id).values(**details, changed_at=now))
    return changed


async def mark_reviewed(tx: WriteTx, *, booking_id: UUID, side: Actor) -> None:
    reviewed = {f"has_{side}_review": True}
    await tx.execute(update(BookingRow).where(BookingRow.id == booking_id).values(reviewed))


async def count_completed(tx: WriteTx, *, provider_id: UUID) -> int:
    """Count one more completed booking of the provider and return how many that makes."""
    await tx.insert_ignore(ProviderCounterRow, [{"provider_id": provider_id, "completed_count": 0}])
    counter = ProviderCounterRow.provider_id == provider_id
    # The row stays locked until the commit, so every completion gets a number of its own.
    await tx.execute(
        update(ProviderCounterRow).where(counter).values(completed_count=ProviderCounterRow.completed_count + 1)
    )
    count: int = await tx.scalar(select(ProviderCounterRow.completed_count).where(counter))
    return count


async def list_ahead(tx: ReadTx, *, provider_id: UUID) -> list[BookingRecord]:
    """Return the provider's live bookings that have not ended, by their start."""
    is_ahead = allocations.live_from(provider_id, tx.now())
    statement = select_bookings().where(*is_ahead).order_by(BookingRow.starts_at)
    return [as_record(row) for row in await tx.all(statement)]


@cache  # a statement never changes; putting thirty columns together anew for each booking is what takes time
def select_bookings() -> Select[Any]:
    last_change = and_(ChangeRow.booking_id == BookingRow.id, ChangeRow.version == BookingRow.version)
    # A booking whose log was lost is still read, as one that its customer changed last.
    changed_by = func.coalesce(ChangeRow.actor, Actor.CUSTOMER.value).label("changed_by")
    return (
        select(*BookingRow.__table__.c, AllocationRow.expires_at.label("lapses_at"), changed_by)
        .join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
        .join(ChangeRow, last_change, isouter=True)
    )


def as_record(row: Any) -> BookingRecord:
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy calls the names of a row
    lapses_at, status = values.pop("lapses_at"), values["status"]
    del values["starts_wall"], values["starts_fold"]
    # What a newer version has stored besides is passed over, so that going back to this one leaves bookings readable.
    return BookingRecord.model_validate(
        {
            **values,
            "expires_at": lapses_at if status == BookingStatus.HELD else None,
            "answer_due_at": lapses_at if status == BookingStatus.REQUESTED else None,
        },
        extra="ignore",
    )
