"""Every SQL statement of deals: bookings and their lists, the log of changes, the locks and the counters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, and_, bindparam, desc, func, insert, literal, select, tuple_, union_all, update

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
from fairground.platform.db.types import among
from fairground.verticals.cancellation_policy import CancellationPolicy

_KEPT_ELSEWHERE: Final = frozenset({"lapses_at", "changed_by"})
_COLUMNS: Final = tuple(field.name for field in fields(BookingRecord) if field.name not in _KEPT_ELSEWHERE)


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
    await tx.execute(insert(BookingRow).values(_booking_row(record)))
    await _log_change(tx, record, actor=Actor.CUSTOMER, from_status=None)


async def insert_bookings(tx: WriteTx, records: Sequence[BookingRecord]) -> None:
    """Do the same for hundreds of bookings."""
    await tx.insert_many(BookingRow, [_booking_row(record) for record in records])
    changes = [_change_row(record, actor=Actor.CUSTOMER, from_status=None) for record in records]
    await tx.insert_many(ChangeRow, changes)


def _booking_row(record: BookingRecord) -> dict[str, Any]:
    wall = record.starts_at.astimezone(get_zone(record.timezone))
    return {name: getattr(record, name) for name in _COLUMNS} | {
        "status": record.status.value,
        "booking_mode": record.booking_mode.value,
        "cancellation": record.cancellation.model_dump(mode="json"),
        "starts_wall": wall.replace(tzinfo=None).isoformat(timespec="minutes"),
        "starts_fold": wall.fold,
    }


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
    statement = _select_bookings().add_columns(tx.now().label("read_at")).where(BookingRow.id == booking_id)
    row = await tx.one_or_none(statement)
    if row is None:
        raise not_found(booking_id)
    return _record_of(row), row.read_at


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
    await tx.execute(insert(ChangeRow).values(_change_row(record, actor=actor, from_status=from_status)))


def _change_row(record: BookingRecord, *, actor: Actor, from_status: BookingStatus | None) -> dict[str, Any]:
    return {
        "booking_id": record.id,
        "version": record.version,
        "actor": actor.value,
        "from_status": None if from_status is None else from_status.value,
        "to_status": record.status.value,
        "changed_at": record.changed_at,
    }


async def change_details(tx: WriteTx, record: BookingRecord, *, details: Details, now: datetime) -> BookingRecord:
    """Give a booking that this transaction has locked another note, place and party size."""
    changed = replace(record, note=details.note, place=details.place, party_size=details.party_size)
    if changed == record:
        return record
    values = {"note": details.note, "place": details.place, "party_size": details.party_size, "changed_at": now}
    await tx.execute(update(BookingRow).where(BookingRow.id == record.id).values(values))
    return replace(changed, changed_at=now)


async def mark_reviewed(tx: WriteTx, *, booking_ids: Collection[UUID], side: Actor) -> None:
    reviewed = {f"has_{side}_review": True}
    await tx.execute(update(BookingRow).where(among(BookingRow.id, booking_ids)).values(reviewed))


async def lock_customer(tx: WriteTx, *, customer_id: UUID) -> None:
    """Make the customer's own requests follow each other, so that each sees the holds of those before it."""
    await tx.insert_ignore(CustomerRow, [{"customer_id": customer_id}])
    await tx.lock(select(CustomerRow.customer_id).where(CustomerRow.customer_id == customer_id))


async def count_live_holds(tx: ReadTx, *, customer_id: UUID) -> LiveHolds:
    """Return how many times the customer holds, when the first of them lapses, and the database's time."""
    statement = (
        select(func.count(), func.min(AllocationRow.expires_at), tx.now())
        .select_from(AllocationRow)
        .join(BookingRow, BookingRow.id == AllocationRow.booking_id)
        .where(
            BookingRow.customer_id == customer_id,
            BookingRow.status == BookingStatus.HELD.value,
            # Without the allocation's state, which follows from the status: with it, the planner of SQLite would begin
            # with the holds and requests of all customers.
            AllocationRow.expires_at > tx.now(),
        )
    )
    return LiveHolds(*(await tx.one_or_none(statement)))


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


async def count_completed(tx: WriteTx, *, provider_id: UUID) -> int:
    """Count one more completed booking of the provider and return how many that makes."""
    [count] = (await add_completed(tx, {provider_id: 1})).values()
    return count


async def add_completed(tx: WriteTx, added: Mapping[UUID, int]) -> dict[UUID, int]:
    """Count more completed bookings of each provider and return how many that makes."""
    # In the order of their ids, so that two transactions cannot deadlock.
    rows = [{"counted_id": provider_id, "added": added[provider_id]} for provider_id in sorted(added)]
    await tx.insert_many(ProviderCounterRow, [{"provider_id": each, "completed_count": 0} for each in sorted(added)])
    statement = update(ProviderCounterRow).where(ProviderCounterRow.provider_id == bindparam("counted_id"))
    # The rows stay locked until the commit, so every completion gets a number of its own.
    await tx.execute(
        statement.values(completed_count=ProviderCounterRow.completed_count + bindparam("added", type_=Integer())), rows
    )
    counters = select(ProviderCounterRow.provider_id, ProviderCounterRow.completed_count)
    counted = await tx.all(counters.where(among(ProviderCounterRow.provider_id, added)))
    return {row.provider_id: row.completed_count for row in counted}


async def list_bookings(tx: ReadTx, *, booking_ids: Collection[UUID]) -> list[BookingRecord | UnreadableBooking]:
    """Return those of the bookings that exist."""
    return [_read_or_refuse(row) for row in await tx.all(_select_bookings().where(among(BookingRow.id, booking_ids)))]


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
    rows = await tx.all(_select_bookings().where(among(BookingRow.id, ids))) if ids else []
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
