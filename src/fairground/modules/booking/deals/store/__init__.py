"""Every SQL statement of deals: bookings and their lists, the log of changes, and the locks."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Select, and_, bindparam, desc, func, insert, select, tuple_, union_all, update
from sqlalchemy.orm import DeclarativeBase

from fairground.contracts.booking import BookingStatus, EndedHolds
from fairground.kernel.inputs import TimeCursor
from fairground.modules.booking.deals.domain.machine import LIVE, Actor
from fairground.modules.booking.deals.domain.record import (
    DETAIL_NAMES,
    ENDED_AS_HOLD,
    BookingRecord,
    Details,
    StaffDecision,
    not_found,
    with_details,
)
from fairground.modules.booking.deals.rows import (
    BOOKING_COLUMNS,
    ListedBooking,
    UnreadableBooking,
    booking_row,
    change_row,
    read_or_refuse,
    record_of,
)
from fairground.modules.booking.deals.tables import BookingRow, ChangeRow
from fairground.modules.booking.time.store import allocations as time_store
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.guards import LONGEST
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among, constant

_NOW: Final = bindparam("now", type_=TimeShift())


async def insert_booking(tx: WriteTx, record: BookingRecord) -> None:
    row = booking_row(record)
    await tx.execute(_insert(tx.ops, BookingRow, tuple(row)), row)
    await _log_change(tx, record, actor=Actor.CUSTOMER, from_status=None)


async def insert_bookings(tx: WriteTx, records: Sequence[BookingRecord]) -> None:
    """Do the same for hundreds of bookings."""
    await tx.insert_many(BookingRow, [booking_row(record) for record in records])
    changes = [change_row(record, actor=Actor.CUSTOMER, from_status=None) for record in records]
    await tx.insert_many(ChangeRow, changes)


@lru_cache(maxsize=6)  # of two tables and of a change by staff, for each dialect
def _insert(_ops: SQLOps, row_class: type[DeclarativeBase], names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(row_class).values({name: bindparam(name) for name in names}))


async def get_booking(tx: ReadTx, *, booking_id: UUID) -> tuple[BookingRecord, datetime]:
    """Return the booking and the database's time; raise BookingNotFound or UnreadableBooking."""
    # In one statement with the booking, because each statement is a round trip.
    row = await tx.one_or_none(_booking(tx.ops), {"booking": booking_id, "now": tx.clock_shift})
    if row is None:
        raise not_found(booking_id)
    return record_of(row), row.read_at


@lru_cache(maxsize=2)  # one for each dialect
def _booking(ops: SQLOps) -> Prepared:
    read_at = ops.now(_NOW).label("read_at")
    return Prepared(select_bookings().add_columns(read_at).where(BookingRow.id == bindparam("booking")))


async def lock_booking(tx: WriteTx, *, booking_id: UUID) -> tuple[BookingRecord, datetime]:
    """Do the same, and keep others from changing the booking until this transaction ends; the time is after the wait.

    Two statements: one that locked the allocation and read the booking beside it would read the booking as it was
    before the wait.
    """
    await time_store.lock_allocation(tx, booking_id=booking_id)
    return await get_booking(tx, booking_id=booking_id)


async def change_booking(
    tx: WriteTx,
    record: BookingRecord,
    *,
    actor: Actor,
    to: BookingStatus,
    now: datetime,
    reason: str | None = None,
    decision: StaffDecision | None = None,
) -> BookingRecord | None:
    """Write the new status and log it. Return None when the booking has changed since it was read."""
    changed = replace(
        record,
        status=to,
        version=record.version + 1,
        decline_reason=reason,
        was_confirmed=record.was_confirmed or to is BookingStatus.CONFIRMED,
        confirmed_at=now if to is BookingStatus.CONFIRMED else record.confirmed_at,
        lapses_at=None,
        changed_at=now,
        changed_by=actor,
        decided_refund_minor=None if decision is None else decision.refund_minor,
    )
    values = {
        "booking": record.id,
        "old_version": record.version,
        "old_status": record.status.value,
        "status": to.value,
        "version": changed.version,
        "decline_reason": reason,
        "was_confirmed": changed.was_confirmed,
        "confirmed_at": changed.confirmed_at,
        "changed_at": now,
    }
    if await tx.execute(_change(tx.ops), values) != 1:
        return None
    await _log_change(tx, changed, actor=actor, from_status=record.status, decision=decision)
    return changed


@lru_cache(maxsize=2)
def _change(_ops: SQLOps) -> Prepared:
    names = ("status", "version", "decline_reason", "was_confirmed", "confirmed_at", "changed_at")
    return Prepared(
        update(BookingRow)
        .where(
            BookingRow.id == bindparam("booking"),
            BookingRow.version == bindparam("old_version"),
            BookingRow.status == bindparam("old_status"),
        )
        .values({name: bindparam(name) for name in names})
    )


async def _log_change(
    tx: WriteTx,
    record: BookingRecord,
    *,
    actor: Actor,
    from_status: BookingStatus | None,
    decision: StaffDecision | None = None,
) -> None:
    row = change_row(record, actor=actor, from_status=from_status, decision=decision)
    await tx.execute(_insert(tx.ops, ChangeRow, tuple(row)), row)


async def change_details(tx: WriteTx, record: BookingRecord, *, details: Details, now: datetime) -> BookingRecord:
    """Give a booking that this transaction has locked other details, with which its total stays."""
    changed = with_details(record, details)
    if changed == record:
        return record
    values = {name: booking_row(changed)[name] for name in DETAIL_NAMES} | {"changed_at": now}
    await tx.execute(update(BookingRow).where(BookingRow.id == record.id).values(values))
    return replace(changed, changed_at=now)


async def mark_reviewed(tx: WriteTx, *, booking_ids: Collection[UUID], side: Actor) -> None:
    reviewed = {f"has_{side}_review": True}
    await tx.execute(update(BookingRow).where(among(BookingRow.id, booking_ids)).values(reviewed))


async def find_own_id(
    tx: ReadTx, *, customer_id: UUID, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> UUID | None:
    """Return which live booking of the customer's takes some of this time of the provider, the earliest of several."""
    values = {"customer": customer_id, "provider": provider_id, "start": starts_at, "end": ends_at}
    found: UUID | None = await tx.scalar(_own_id(tx.ops), values | {"now": tx.clock_shift})
    return found


@lru_cache(maxsize=2)
def _own_id(ops: SQLOps) -> Prepared:
    return Prepared(
        select(BookingRow.id)
        .join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
        .where(
            BookingRow.customer_id == bindparam("customer"),
            BookingRow.status.in_([constant(status.value) for status in sorted(LIVE)]),
            AllocationRow.expires_at.is_(None) | (AllocationRow.expires_at > ops.now(_NOW)),
            BookingRow.provider_id == bindparam("provider"),
            BookingRow.starts_at < bindparam("end"),
            BookingRow.ends_at > bindparam("start"),
        )
        .order_by(BookingRow.starts_at)
        .limit(1)
    )


async def list_bookings(tx: ReadTx, *, booking_ids: Collection[UUID]) -> list[BookingRecord | UnreadableBooking]:
    """Return those of the bookings that exist."""
    return [read_or_refuse(row) for row in await tx.all(select_bookings().where(among(BookingRow.id, booking_ids)))]


async def list_ahead(tx: ReadTx, *, provider_id: UUID) -> list[BookingRecord | UnreadableBooking]:
    """Return the provider's live bookings that have not ended, by their start."""
    is_ahead = time_store.live_from(provider_id, tx.now())
    statement = select_bookings().where(*is_ahead).order_by(BookingRow.starts_at)
    return [read_or_refuse(row) for row in await tx.all(statement)]


async def list_between(
    tx: ReadTx, *, owner_id: UUID, starts_at: datetime, ends_at: datetime, limit: int
) -> list[BookingRecord | UnreadableBooking]:
    """Return the requested, confirmed and completed bookings of an owner that overlap a time, by their start."""
    values = {"owner": owner_id, "start": starts_at, "earliest": starts_at - LONGEST, "end": ends_at, "limit": limit}
    return [read_or_refuse(row) for row in await tx.all(_between(tx.ops), values)]


@lru_cache(maxsize=2)
def _between(_ops: SQLOps) -> Prepared:
    shown = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED)
    start = BookingRow.starts_at.type
    return Prepared(
        select_bookings()
        .where(
            BookingRow.provider_owner_id == bindparam("owner"),
            # Bounded below too, or it would read all of the past.
            BookingRow.starts_at > bindparam("earliest", type_=start),
            BookingRow.starts_at < bindparam("end", type_=start),
            BookingRow.ends_at > bindparam("start", type_=start),
            BookingRow.status.in_([constant(status.value) for status in shown]),
        )
        .order_by(BookingRow.starts_at, BookingRow.id)
        .limit(bindparam("limit", type_=Integer()))
    )


async def list_live_of(tx: ReadTx, *, user_id: UUID, limit: int) -> list[BookingRecord | UnreadableBooking]:
    """Return the live bookings of either side that have not ended, by their start."""
    found: list[Any] = []
    for own in (BookingRow.customer_id == user_id, BookingRow.provider_owner_id == user_id):
        statement = select_bookings().where(
            own,
            BookingRow.status.in_([status.value for status in sorted(LIVE)]),
            BookingRow.ends_at > tx.now(),
            AllocationRow.expires_at.is_(None) | (AllocationRow.expires_at > tx.now()),
        )
        found += await tx.all(statement.order_by(BookingRow.starts_at).limit(limit))
    return [read_or_refuse(row) for row in sorted(found, key=lambda row: row.starts_at)[:limit]]


async def list_page(
    tx: ReadTx,
    *,
    user_id: UUID,
    side: Actor | None,
    status: BookingStatus | None,
    ended_holds: EndedHolds = EndedHolds.INCLUDED,
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
    values: dict[str, Any] = {"user": user_id, "offset": offset, "limit": limit}
    if status is not None:
        values["status"] = status.value
    if after is not None:
        values |= {"after_at": after.at, "after_id": after.id}
    statement = _page(tx.ops, side, ended_holds, has_status=status is not None, is_behind=after is not None)
    page = await tx.all(statement, values)
    ids = [entry.id for entry in page]
    rows = await tx.all(_bookings(tx.ops), {"ids": ids}) if ids else []
    records = {row.id: read_or_refuse(row) for row in rows}
    return [ListedBooking(id=entry.id, starts_at=entry.starts_at, record=records[entry.id]) for entry in page]


@lru_cache(maxsize=72)  # all there are
def _page(_ops: SQLOps, side: Actor | None, ended_holds: EndedHolds, *, has_status: bool, is_behind: bool) -> Prepared:
    branches = _branches(side, ended_holds, has_status=has_status)
    branches = [branch.add_columns(BookingRow.starts_at) for branch in branches]
    if is_behind:
        # Only the start narrows the index on both databases; the id decides among equal starts.
        behind = tuple_(BookingRow.starts_at, BookingRow.id) < tuple_(
            bindparam("after_at", type_=BookingRow.starts_at.type), bindparam("after_id", type_=BookingRow.id.type)
        )
        branches = [branch.where(behind) for branch in branches]
    part = {name: bindparam(name, type_=Integer()) for name in ("offset", "limit")}
    if len(branches) == 1:
        found = branches[0].order_by(BookingRow.starts_at.desc(), BookingRow.id.desc())
        return Prepared(found.offset(part["offset"]).limit(part["limit"]))
    # Ordered as a whole and not from outside, so that both databases merge the two indexes and sort nothing.
    both = union_all(*branches).order_by(desc("starts_at"), desc("id"))
    return Prepared(both.offset(part["offset"]).limit(part["limit"]))


@lru_cache(maxsize=2)
def _bookings(_ops: SQLOps) -> Prepared:
    return Prepared(select_bookings().where(among(BookingRow.id, bindparam("ids"))))


async def count_up_to(
    tx: ReadTx,
    *,
    user_id: UUID,
    side: Actor | None,
    status: BookingStatus | None,
    ended_holds: EndedHolds = EndedHolds.INCLUDED,
    most: int,
) -> int:
    """Return how many bookings such a list holds, or `most` where there are as many or more."""
    values = {"user": user_id, "most": most} | ({} if status is None else {"status": status.value})
    count: int = await tx.scalar(_count(tx.ops, side, ended_holds, has_status=status is not None), values)
    return count


@lru_cache(maxsize=36)  # all there are
def _count(_ops: SQLOps, side: Actor | None, ended_holds: EndedHolds, *, has_status: bool) -> Prepared:
    most = bindparam("most", type_=Integer())
    branches = [branch.limit(most).subquery() for branch in _branches(side, ended_holds, has_status=has_status)]
    found = union_all(*(select(branch.c.id) for branch in branches)).limit(most).subquery()
    return Prepared(select(func.count()).select_from(found))


def _branches(side: Actor | None, ended_holds: EndedHolds, *, has_status: bool) -> list[Select[Any]]:
    """Return one select for each side, because an OR of two columns is answered from no ordered index."""
    ended = (constant(BookingStatus.CANCELLED.value), constant(BookingStatus.EXPIRED.value))
    is_ended_hold = BookingRow.status.in_(ended) & (BookingRow.version == constant(ENDED_AS_HOLD))
    as_customer = select(BookingRow.id).where(BookingRow.customer_id == bindparam("user"))
    as_provider = select(BookingRow.id).where(BookingRow.provider_owner_id == bindparam("user"))
    match side:
        case Actor.CUSTOMER:
            branches = [as_customer]
        case Actor.PROVIDER:
            branches = [as_provider]
        case _:
            # No booking is in both lists: a provider cannot book their own service.
            branches = [as_customer, as_provider]
    if ended_holds is not EndedHolds.INCLUDED:
        which = is_ended_hold if ended_holds is EndedHolds.ALONE else ~is_ended_hold
        branches = [each.where(which) for each in branches]
    return [each.where(BookingRow.status == bindparam("status")) for each in branches] if has_status else branches


@cache  # a statement never changes; putting thirty columns together for each booking is what takes time
def select_bookings() -> Select[Any]:
    last_change = and_(ChangeRow.booking_id == BookingRow.id, ChangeRow.version == BookingRow.version)
    # A booking whose log was lost is still read, as one that its customer changed last.
    changed_by = func.coalesce(ChangeRow.actor, Actor.CUSTOMER.value).label("changed_by")
    return (
        select(
            *(BookingRow.__table__.c[name] for name in BOOKING_COLUMNS),
            AllocationRow.expires_at.label("lapses_at"),
            changed_by,
            ChangeRow.refund_minor.label("decided_refund_minor"),
        )
        .join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
        .join(ChangeRow, last_change, isouter=True)
    )
