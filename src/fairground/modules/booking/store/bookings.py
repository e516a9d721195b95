"""Bookings, the log of their changes, and the locks and counters beside them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, update

from fairground.contracts.booking import BookingStatus
from fairground.kernel.zones import get_zone
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.domain.record import BookingRecord
from fairground.modules.booking.store import allocations
from fairground.modules.booking.tables import AllocationRow, BookingRow, ChangeRow, CustomerRow, ProviderCounterRow
from fairground.platform.db.database import ReadTx, WriteTx

_KEPT_BY_ALLOCATION = {"expires_at", "answer_due_at"}


async def insert_booking(tx: WriteTx, record: BookingRecord) -> None:
    wall = record.starts_at.astimezone(get_zone(record.timezone))
    row = record.model_dump(exclude=_KEPT_BY_ALLOCATION) | {
        "status": record.status.value,
        "booking_mode": record.booking_mode.value,
        "starts_wall": wall.replace(tzinfo=None).isoformat(timespec="minutes"),
        "starts_fold": wall.fold,
    }
    await tx.execute(insert(BookingRow).values(row))
    await _log_change(tx, record, actor=Actor.CUSTOMER, from_status=None)


async def find_booking(tx: ReadTx, *, booking_id: UUID) -> BookingRecord | None:
    row = await tx.one_or_none(_select().where(BookingRow.id == booking_id))
    return None if row is None else _record(row)


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
            AllocationRow.state == "held",
            AllocationRow.expires_at > tx.now(),
        )
        .order_by(AllocationRow.expires_at)
    )
    return await tx.scalars(statement)


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


async def list_bookings(
    tx: ReadTx, *, user_id: UUID, side: Actor | None, status: BookingStatus | None, page: int, limit: int
) -> list[BookingRecord]:
    """Return a page of the bookings on one side of the user, or on both, the latest start first."""
    statement = (
        _select()
        .where(*_of_user(user_id, side, status))
        .order_by(BookingRow.starts_at.desc(), BookingRow.id.desc())
        .limit(limit)
        .offset((page - 1) * limit)
    )
    return [_record(row) for row in await tx.all(statement)]


async def list_ahead(tx: ReadTx, *, provider_id: UUID) -> list[BookingRecord]:
    """Return the provider's live bookings that have not ended, by their start."""
    is_ahead = allocations.live_from(provider_id, tx.now())
    return [_record(row) for row in await tx.all(_select().where(*is_ahead).order_by(BookingRow.starts_at))]


async def count_bookings(tx: ReadTx, *, user_id: UUID, side: Actor | None, status: BookingStatus | None) -> int:
    statement = select(func.count()).select_from(BookingRow).where(*_of_user(user_id, side, status))
    count: int = await tx.scalar(statement)
    return count


def _of_user(user_id: UUID, side: Actor | None, status: BookingStatus | None) -> Sequence[ColumnElement[bool]]:
    as_customer, as_provider = BookingRow.customer_id == user_id, BookingRow.provider_owner_id == user_id
    by_side = {Actor.CUSTOMER: as_customer, Actor.PROVIDER: as_provider}
    of_user = or_(as_customer, as_provider) if side is None else by_side[side]
    return [of_user] if status is None else [of_user, BookingRow.status == status.value]


@cache  # a statement never changes; putting thirty columns together anew for each booking is what takes time
def _select() -> Select[Any]:
    return select(*BookingRow.__table__.c, AllocationRow.expires_at.label("lapses_at")).join(
        AllocationRow, AllocationRow.booking_id == BookingRow.id
    )


def _record(row: Any) -> BookingRecord:
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy calls the names of a row
    lapses_at, status = values.pop("lapses_at"), values["status"]
    del values["starts_wall"], values["starts_fold"]
    return BookingRecord(
        **values,
        expires_at=lapses_at if status == BookingStatus.HELD else None,
        answer_due_at=lapses_at if status == BookingStatus.REQUESTED else None,
    )
