"""Allocations: every SQL statement about the times that are taken."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, update
from sqlalchemy.sql import Executable

from fairground.contracts.booking.availability import AvailabilityRules
from fairground.kernel.ids import uuid7
from fairground.modules.booking.time.store.hours import rules_of, select_rules
from fairground.modules.booking.time.tables import AllocationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.guards import LONGEST
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among, constant

_LIVE_STATES: Final = (constant("held"), constant("confirmed"))
_NOW: Final = bindparam("now", type_=TimeShift())
PERSON: Final = 1  # the unit of a provider who is one person


class Schedule(NamedTuple):
    """A provider's hours, and what the database says of one time of theirs."""

    rules: AvailabilityRules
    now: datetime
    is_taken: bool
    """Whether a live allocation overlaps it. A hold that has lapsed takes no time."""


class TakenTime(NamedTuple):
    """The time of a provider that a booking took which was made elsewhere."""

    booking_id: UUID
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime


class Lapsed(NamedTuple):
    """A hold or request that has lapsed and still takes its time."""

    booking_id: UUID
    expires_at: datetime
    id: UUID


async def claim_time(
    tx: WriteTx, *, booking_id: UUID, provider_id: UUID, starts_at: datetime, ends_at: datetime, expires_at: datetime
) -> bool:
    """Hold the time. Return False when a live allocation overlaps it.

    One statement decides on both dialects. ON CONFLICT DO NOTHING makes the loser of a rush wait for the winner and
    then give way; catching the refusal of the guard instead deadlocks (ADR 5).
    """
    row = _new_row(booking_id, provider_id, starts_at=starts_at, ends_at=ends_at, expires_at=expires_at)
    return await tx.execute(_claim(tx.ops, tuple(row)), row | _span(provider_id, starts_at, ends_at)) == 1


@lru_cache(maxsize=2)  # one for each dialect
def _claim(ops: SQLOps, names: tuple[str, ...]) -> Prepared:
    columns = AllocationRow.__table__.c
    is_taken = exists().where(*_overlapping(_SPAN), AllocationRow.state.in_(_LIVE_STATES))
    values = select(*(bindparam(name, type_=columns[name].type) for name in names)).where(~is_taken)
    statement = ops.insert(AllocationRow.__table__).from_select(list(names), values)
    return Prepared(statement.on_conflict_do_nothing())


async def take_times(tx: WriteTx, times: Sequence[TakenTime]) -> TakenTime | None:
    """Take all of the times for good.

    Return one that overlaps another one or a live allocation; the caller then rolls back.
    """
    overlapping = next(_find_overlaps(times, await _list_taken(tx, times)), None)
    if overlapping is not None:
        return overlapping
    rows = [
        _new_row(each.booking_id, each.provider_id, starts_at=each.starts_at, ends_at=each.ends_at, expires_at=None)
        for each in times
    ]
    if await tx.insert_many(AllocationRow, rows) == len(rows):
        return None
    # On PostgreSQL, another transaction has taken one of them since the look.
    own = among(AllocationRow.booking_id, [each.booking_id for each in times])
    taken = set(await tx.scalars(select(AllocationRow.booking_id).where(own)))
    return next(each for each in times if each.booking_id not in taken)


async def _list_taken(tx: ReadTx, times: Sequence[TakenTime]) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """Return the live allocations of the providers around the times, by provider."""
    first, last = min(each.starts_at for each in times), max(each.ends_at for each in times)
    statement = select(AllocationRow.resource_id, AllocationRow.blocked_from, AllocationRow.blocked_until).where(
        among(AllocationRow.resource_id, {each.provider_id for each in times}),
        AllocationRow.unit == PERSON,
        AllocationRow.blocked_from < last,
        AllocationRow.blocked_from > first - LONGEST,
        AllocationRow.state.in_(_LIVE_STATES),
    )
    taken = defaultdict(list)
    for provider_id, starts_at, ends_at in await tx.all(statement):
        taken[provider_id].append((starts_at, ends_at))
    return taken


def _find_overlaps(
    times: Sequence[TakenTime], taken: Mapping[UUID, Sequence[tuple[datetime, datetime]]]
) -> Iterator[TakenTime]:
    by_provider = defaultdict(list)
    for each in times:
        by_provider[each.provider_id].append(each)
    for provider_id, own in by_provider.items():
        found: list[tuple[datetime, datetime, TakenTime | None]]
        found = [(each.starts_at, each.ends_at, each) for each in own]
        found += [(*each, None) for each in taken.get(provider_id, ())]
        found.sort(key=itemgetter(0))
        for (_, earlier_end, earlier), (later_start, _, later) in pairwise(found):
            if later_start < earlier_end and (overlapping := later or earlier):
                yield overlapping


def _new_row(
    booking_id: UUID, provider_id: UUID, *, starts_at: datetime, ends_at: datetime, expires_at: datetime | None
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "resource_id": provider_id,
        "unit": PERSON,
        "blocked_from": starts_at,
        "blocked_until": ends_at,
        "state": "confirmed" if expires_at is None else "held",
        "expires_at": expires_at,
        "booking_id": booking_id,
        "version": 1,
    }


class _Span(NamedTuple):
    """The parameters of a provider's time in a prepared statement."""

    provider_id: Any
    starts_at: Any
    earliest: Any
    ends_at: Any


_SPAN: Final = _Span(
    bindparam("in_provider", type_=AllocationRow.resource_id.type),
    bindparam("in_start", type_=AllocationRow.blocked_from.type),
    bindparam("in_earliest", type_=AllocationRow.blocked_from.type),
    bindparam("in_end", type_=AllocationRow.blocked_from.type),
)


def _span(provider_id: UUID, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """Return the values of the parameters."""
    span = _Span(provider_id, starts_at, starts_at - LONGEST, ends_at)
    return {parameter.key: value for parameter, value in zip(_SPAN, span, strict=True)}


def _overlapping(span: _Span) -> list[ColumnElement[bool]]:
    """Return what is true of allocations that overlap; bounded below too, or it would read all of the past."""
    return [
        AllocationRow.resource_id == span.provider_id,
        AllocationRow.unit == PERSON,
        AllocationRow.blocked_from < span.ends_at,
        AllocationRow.blocked_from > span.earliest,
        AllocationRow.blocked_until > span.starts_at,
    ]


async def list_busy(
    tx: ReadTx, *, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the times between the two that are taken, in order. A hold that has lapsed takes none."""
    values = _span(provider_id, starts_at, ends_at) | {"now": tx.clock_shift}
    return [(row.blocked_from, row.blocked_until) for row in await tx.all(_busy(tx.ops), values)]


@lru_cache(maxsize=2)
def _busy(ops: SQLOps) -> Prepared:
    return Prepared(
        select(AllocationRow.blocked_from, AllocationRow.blocked_until)
        .where(*_overlapping(_SPAN), *_live_at(ops.now(_NOW)))
        .order_by(AllocationRow.blocked_from)
    )


def live_from(provider_id: UUID, moment: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    """Return what is true of a provider's live allocations that have not ended at a moment of the database's clock."""
    return [
        AllocationRow.resource_id == provider_id,
        AllocationRow.unit == PERSON,
        AllocationRow.blocked_until > moment,
        *_live_at(moment),
    ]


def _live_at(moment: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    has_lapsed = (AllocationRow.state == "held") & (AllocationRow.expires_at <= moment)
    return [AllocationRow.state.in_(_LIVE_STATES), ~has_lapsed]


async def lock_lapsed_in_the_way(
    tx: WriteTx, *, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> list[UUID]:
    """Lock the lapsed holds that overlap a time, in the order of their ids, and return their bookings."""
    values = _span(provider_id, starts_at, ends_at) | {"now": tx.clock_shift}
    return await tx.scalars(_lapsed_in_the_way(tx.ops), values)


@lru_cache(maxsize=2)
def _lapsed_in_the_way(ops: SQLOps) -> Prepared:
    is_lapsed = (AllocationRow.state == "held", AllocationRow.expires_at <= ops.now(_NOW))
    lapsed = select(AllocationRow.booking_id).where(*_overlapping(_SPAN), *is_lapsed)
    return Prepared(ops.lock_rows(lapsed.order_by(AllocationRow.id)))


async def lock_allocation(tx: WriteTx, *, booking_id: UUID) -> None:
    """Keep every other change of the booking waiting until this transaction ends."""
    await tx.one_or_none(_allocation_lock(tx.ops), {"booking": booking_id})


@lru_cache(maxsize=2)
def _allocation_lock(ops: SQLOps) -> Prepared:
    own = AllocationRow.booking_id == bindparam("booking")
    return Prepared(ops.lock_rows(select(AllocationRow.id).where(own)))


async def list_lapsed(tx: ReadTx, *, after: Lapsed | None, limit: int) -> list[Lapsed]:
    """Return the bookings whose hold or request has lapsed, the one that lapsed first first, behind `after`."""
    statement = (
        select(AllocationRow.booking_id, AllocationRow.expires_at, AllocationRow.id)
        .where(AllocationRow.state == "held", AllocationRow.expires_at <= tx.now())
        .order_by(AllocationRow.expires_at, AllocationRow.id)
        .limit(limit)
    )
    if after is not None:
        behind = (AllocationRow.expires_at > after.expires_at) | (AllocationRow.id > after.id)
        statement = statement.where(AllocationRow.expires_at >= after.expires_at, behind)
    return [Lapsed(row.booking_id, row.expires_at, row.id) for row in await tx.all(statement)]


async def keep_until(tx: WriteTx, *, booking_id: UUID, expires_at: datetime) -> bool:
    """Let the hold lapse at another time. Return False when it is no longer held."""
    statement = update(AllocationRow).values(expires_at=expires_at, version=AllocationRow.version + 1)
    return await tx.execute(statement.where(*_held(booking_id))) == 1


async def confirm_time(tx: WriteTx, *, booking_id: UUID) -> bool:
    """Make the hold final. Return False when it is no longer held.

    This row decides between a confirmation and everything else that may happen to the hold. A hold that has lapsed and
    was not ended yet is still a hold.
    """
    statement = update(AllocationRow).values(state="confirmed", expires_at=None, version=AllocationRow.version + 1)
    return await tx.execute(statement.where(*_held(booking_id))) == 1


async def release_time(tx: WriteTx, *, booking_id: UUID) -> None:
    """Give the time back; a time that was given back already stays so."""
    await tx.execute(_release(tx.ops), {"booking": booking_id})


@lru_cache(maxsize=2)
def _release(_ops: SQLOps) -> Prepared:
    return Prepared(
        update(AllocationRow)
        .values(state="released", expires_at=None, version=AllocationRow.version + 1)
        .where(AllocationRow.booking_id == bindparam("booking"), AllocationRow.state.in_(_LIVE_STATES))
    )


def _held(booking_id: UUID) -> list[ColumnElement[bool]]:
    return [AllocationRow.booking_id == booking_id, AllocationRow.state == "held"]


def attempts_to_break_the_guard(now: datetime) -> Sequence[Sequence[Executable]]:
    """Return two ways to take a time twice, for a provider who does not exist: by a new row and by a changed one."""
    hour, provider_id = timedelta(hours=1), uuid4()
    first, second, changed = (
        _new_row(uuid4(), provider_id, starts_at=now + offset, ends_at=now + offset + hour, expires_at=now + hour)
        for offset in (0 * hour, hour / 2, hour)
    )
    insert_first, insert_second, insert_changed = (
        insert(AllocationRow).values(row) for row in (first, second, changed)
    )
    move = update(AllocationRow).where(AllocationRow.id == changed["id"]).values(blocked_from=now + hour / 2)
    return [[insert_first, insert_second], [insert_first, insert_changed, move]]


async def find_schedule(tx: ReadTx, *, provider_id: UUID, starts_at: datetime, ends_at: datetime) -> Schedule | None:
    """Return the provider's hours, the database's time, and whether the time between the two instants is taken."""
    values = _span(provider_id, starts_at, ends_at) | {"provider": provider_id, "now": tx.clock_shift}
    row = await tx.one_or_none(_schedule(tx.ops), values)
    return None if row is None else Schedule(rules_of(row), now=row.read_at, is_taken=bool(row.is_taken))


@lru_cache(maxsize=2)
def _schedule(ops: SQLOps) -> Prepared:
    now = ops.now(_NOW)
    is_taken = exists().where(*_overlapping(_SPAN), *_live_at(now))
    return Prepared(select_rules().add_columns(now.label("read_at"), is_taken.label("is_taken")))
