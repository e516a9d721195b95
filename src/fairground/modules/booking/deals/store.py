"""Every SQL statement of deals: bookings and their lists, the log of changes, the locks and the counters."""

from dataclasses import fields, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, and_, bindparam, desc, func, insert, select, tuple_, union_all, update
from sqlalchemy.orm import DeclarativeBase

from fairground.contracts.booking import BookingStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.zones import get_zone
from fairground.modules.booking.deals.domain.machine import LIVE, Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, Details, not_found
from fairground.modules.booking.deals.tables import BookingRow, ChangeRow, CustomerRow, ProviderCounterRow
from fairground.modules.booking.time import store as time_store
from fairground.modules.booking.time.allocations import Allocation
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among, constant
from fairground.verticals.cancellation_policy import CancellationPolicy

_KEPT_ELSEWHERE: Final = frozenset({"lapses_at", "changed_by"})
_COLUMNS: Final = tuple(field.name for field in fields(BookingRecord) if field.name not in _KEPT_ELSEWHERE)
_NOW: Final = bindparam("now", type_=TimeShift())


class UnreadableBooking(Exception):
    """The row of a booking is none that this version understands; the cause says why."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__(f"The row of booking {booking_id} cannot be read.")
        self.booking_id = booking_id


class LiveHolds(NamedTuple):
    """The times that a customer holds."""

    number: int
    first_lapses_at: datetime | None
    now: datetime


class ListedBooking(NamedTuple):
    """A booking of a page; without a record where its row cannot be read."""

    id: UUID
    starts_at: datetime
    record: BookingRecord | UnreadableBooking


async def insert_booking(tx: WriteTx, record: BookingRecord) -> None:
    wall = record.starts_at.astimezone(get_zone(record.timezone))
    row: dict[str, Any] = {name: getattr(record, name) for name in _COLUMNS} | {
        "status": record.status.value,
        "booking_mode": record.booking_mode.value,
        "cancellation": record.cancellation.model_dump(mode="json"),
        "starts_wall": wall.replace(tzinfo=None).isoformat(timespec="minutes"),
        "starts_fold": wall.fold,
    }
    await tx.execute(_insert(tx.ops, BookingRow, tuple(row)), row)
    await _log_change(tx, record, actor=Actor.CUSTOMER, from_status=None)


@lru_cache(maxsize=4)  # of two tables, for each dialect
def _insert(_ops: SQLOps, row_class: type[DeclarativeBase], names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(row_class).values({name: bindparam(name) for name in names}))


def allocation_of(record: BookingRecord) -> Allocation:
    """Return the time that a booking takes, as it is claimed and released."""
    return Allocation(
        booking_id=record.id,
        provider_id=record.provider_id,
        provider_slug=record.provider_slug,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
    )


async def get_booking(tx: ReadTx, *, booking_id: UUID) -> tuple[BookingRecord, datetime]:
    """Return the booking and the database's time; raise BookingNotFound or UnreadableBooking."""
    # In one statement with the booking, because each statement is a round trip.
    row = await tx.one_or_none(_booking(tx.ops), {"booking": booking_id, "now": tx.clock_shift})
    if row is None:
        raise not_found(booking_id)
    return _record_of(row), row.read_at


@lru_cache(maxsize=2)  # one for each dialect
def _booking(ops: SQLOps) -> Prepared:
    read_at = ops.now(_NOW).label("read_at")
    return Prepared(_select_bookings().add_columns(read_at).where(BookingRow.id == bindparam("booking")))


async def lock_booking(tx: WriteTx, *, booking_id: UUID) -> tuple[BookingRecord, datetime]:
    """Do the same, and keep others from changing the booking until this transaction ends; the time is after the wait.

    Two statements: one that locked the allocation and read the booking beside it would read the booking as it was
    before the wait.
    """
    await time_store.lock_allocation(tx, booking_id=booking_id)
    return await get_booking(tx, booking_id=booking_id)


async def change_booking(
    tx: WriteTx, record: BookingRecord, *, actor: Actor, to: BookingStatus, now: datetime, reason: str | None = None
) -> BookingRecord | None:
    """Write the new status and log it. Return None when the booking has changed since it was read."""
    changed = replace(
        record,
        status=to,
        version=record.version + 1,
        decline_reason=reason,
        was_confirmed=record.was_confirmed or to is BookingStatus.CONFIRMED,
        lapses_at=None,
        changed_at=now,
        changed_by=actor,
    )
    values = {
        "booking": record.id,
        "old_version": record.version,
        "old_status": record.status.value,
        "status": to.value,
        "version": changed.version,
        "decline_reason": reason,
        "was_confirmed": changed.was_confirmed,
        "changed_at": now,
    }
    if await tx.execute(_change(tx.ops), values) != 1:
        return None
    await _log_change(tx, changed, actor=actor, from_status=record.status)
    return changed


@lru_cache(maxsize=2)
def _change(_ops: SQLOps) -> Prepared:
    names = ("status", "version", "decline_reason", "was_confirmed", "changed_at")
    return Prepared(
        update(BookingRow)
        .where(
            BookingRow.id == bindparam("booking"),
            BookingRow.version == bindparam("old_version"),
            BookingRow.status == bindparam("old_status"),
        )
        .values({name: bindparam(name) for name in names})
    )


async def _log_change(tx: WriteTx, record: BookingRecord, *, actor: Actor, from_status: BookingStatus | None) -> None:
    row = {
        "booking_id": record.id,
        "version": record.version,
        "actor": actor.value,
        "from_status": None if from_status is None else from_status.value,
        "to_status": record.status.value,
        "changed_at": record.changed_at,
    }
    await tx.execute(_insert(tx.ops, ChangeRow, tuple(row)), row)


async def change_details(tx: WriteTx, record: BookingRecord, *, details: Details, now: datetime) -> BookingRecord:
    """Give a booking that this transaction has locked another note, place and party size."""
    changed = replace(record, note=details.note, place=details.place, party_size=details.party_size)
    if changed == record:
        return record
    values = {"note": details.note, "place": details.place, "party_size": details.party_size, "changed_at": now}
    await tx.execute(update(BookingRow).where(BookingRow.id == record.id).values(values))
    return replace(changed, changed_at=now)


async def mark_reviewed(tx: WriteTx, *, booking_id: UUID, side: Actor) -> None:
    reviewed = {f"has_{side}_review": True}
    await tx.execute(update(BookingRow).where(BookingRow.id == booking_id).values(reviewed))


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


async def list_ahead(tx: ReadTx, *, provider_id: UUID) -> list[BookingRecord | UnreadableBooking]:
    """Return the provider's live bookings that have not ended, by their start."""
    is_ahead = time_store.live_from(provider_id, tx.now())
    statement = _select_bookings().where(*is_ahead).order_by(BookingRow.starts_at)
    return [_read_or_refuse(row) for row in await tx.all(statement)]


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
    values: dict[str, Any] = {"user": user_id, "offset": offset, "limit": limit}
    if status is not None:
        values["status"] = status.value
    if after is not None:
        values |= {"after_at": after.at, "after_id": after.id}
    statement = _page(tx.ops, side, has_status=status is not None, is_behind=after is not None)
    page = await tx.all(statement, values)
    ids = [entry.id for entry in page]
    rows = await tx.all(_bookings(tx.ops), {"ids": ids}) if ids else []
    records = {row.id: _read_or_refuse(row) for row in rows}
    return [ListedBooking(id=entry.id, starts_at=entry.starts_at, record=records[entry.id]) for entry in page]


@lru_cache(maxsize=24)  # all there are
def _page(_ops: SQLOps, side: Actor | None, *, has_status: bool, is_behind: bool) -> Prepared:
    branches = [branch.add_columns(BookingRow.starts_at) for branch in _branches(side, has_status=has_status)]
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
    return Prepared(_select_bookings().where(among(BookingRow.id, bindparam("ids"))))


async def count_up_to(tx: ReadTx, *, user_id: UUID, side: Actor | None, status: BookingStatus | None, most: int) -> int:
    """Return how many bookings such a list holds, or `most` where there are as many or more."""
    values = {"user": user_id, "most": most} | ({} if status is None else {"status": status.value})
    count: int = await tx.scalar(_count(tx.ops, side, has_status=status is not None), values)
    return count


@lru_cache(maxsize=12)  # all there are
def _count(_ops: SQLOps, side: Actor | None, *, has_status: bool) -> Prepared:
    most = bindparam("most", type_=Integer())
    branches = [branch.limit(most).subquery() for branch in _branches(side, has_status=has_status)]
    found = union_all(*(select(branch.c.id) for branch in branches)).limit(most).subquery()
    return Prepared(select(func.count()).select_from(found))


def _branches(side: Actor | None, *, has_status: bool) -> list[Select[Any]]:
    """Return one select for each side, because an OR of two columns is answered from no ordered index."""
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
    return [each.where(BookingRow.status == bindparam("status")) for each in branches] if has_status else branches


@cache  # a statement never changes; putting thirty columns together for each booking is what takes time
def _select_bookings() -> Select[Any]:
    last_change = and_(ChangeRow.booking_id == BookingRow.id, ChangeRow.version == BookingRow.version)
    # A booking whose log was lost is still read, as one that its customer changed last.
    changed_by = func.coalesce(ChangeRow.actor, Actor.CUSTOMER.value).label("changed_by")
    return (
        select(
            *(BookingRow.__table__.c[name] for name in _COLUMNS),
            AllocationRow.expires_at.label("lapses_at"),
            changed_by,
        )
        .join(AllocationRow, AllocationRow.booking_id == BookingRow.id)
        .join(ChangeRow, last_change, isouter=True)
    )


def _record_of(row: Any) -> BookingRecord:
    """Return the record of a row of `_select_bookings`; raise UnreadableBooking."""
    try:
        return BookingRecord(
            **{name: getattr(row, name) for name in _COLUMNS}
            | {
                "status": BookingStatus(row.status),
                "booking_mode": BookingMode(row.booking_mode),
                # What a newer version has stored besides is ignored, so that going back to this one leaves bookings
                # readable.
                "cancellation": CancellationPolicy.model_validate(row.cancellation, extra="ignore"),
                "lapses_at": row.lapses_at,
                "changed_by": Actor(row.changed_by),
            }
        )
    except ValueError as error:
        raise UnreadableBooking(row.id) from error


def _read_or_refuse(row: Any) -> BookingRecord | UnreadableBooking:
    try:
        return _record_of(row)
    except UnreadableBooking as error:
        return error
