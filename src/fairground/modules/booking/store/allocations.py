"""Allocations: the times that bookings take. Here, and nowhere else, a double booking is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, exists, insert, literal, select, update
from sqlalchemy.sql import Executable

from fairground.modules.booking.tables import AllocationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.guards import LONGEST

_LIVE: Final = ("held", "confirmed")
PERSON: Final = 1  # the unit of a provider who is one person


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A time that somebody wants, held until `expires_at`."""

    id: UUID
    booking_id: UUID
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime

    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "resource_id": self.provider_id,
            "unit": PERSON,
            "blocked_from": self.starts_at,
            "blocked_until": self.ends_at,
            "core_from": self.starts_at,
            "core_until": self.ends_at,
            "state": "held",
            "expires_at": self.expires_at,
            "booking_id": self.booking_id,
            "version": 1,
        }


class Lapsed(NamedTuple):
    """A hold or request that has lapsed and still takes its time."""

    booking_id: UUID
    expires_at: datetime
    id: UUID


async def claim_time(tx: WriteTx, claim: Claim) -> bool:
    """Hold the time. Return False when a live allocation overlaps it.

    One statement decides on both dialects. ON CONFLICT DO NOTHING makes the loser of a rush wait for the winner and
    then give way; catching the refusal of the guard instead deadlocks (ARCHITECTURE §5.1).
    """
    row = claim.row()
    columns = AllocationRow.__table__.c
    values = select(*(literal(value, columns[name].type) for name, value in row.items()))
    statement = tx.ops.insert(AllocationRow.__table__).from_select(list(row), values.where(~_is_taken(claim)))
    return await tx.execute(statement.on_conflict_do_nothing()) == 1


def _is_taken(claim: Claim) -> ColumnElement[bool]:
    overlapping = _overlapping(claim.provider_id, claim.starts_at, claim.ends_at)
    return exists().where(*overlapping, AllocationRow.state.in_(_LIVE))


def _overlapping(provider_id: UUID, starts_at: datetime, ends_at: datetime) -> list[ColumnElement[bool]]:
    """Return what is true of allocations that overlap; bounded below too, or it would read all of the past."""
    return [
        AllocationRow.resource_id == provider_id,
        AllocationRow.unit == PERSON,
        AllocationRow.blocked_from < ends_at,
        AllocationRow.blocked_from > starts_at - LONGEST,
        AllocationRow.blocked_until > starts_at,
    ]


async def list_busy(
    tx: ReadTx, *, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the times between the two that are taken, in order. A hold that has lapsed takes none."""
    has_lapsed = (AllocationRow.state == "held") & (AllocationRow.expires_at <= tx.now())
    statement = (
        select(AllocationRow.blocked_from, AllocationRow.blocked_until)
        .where(*_overlapping(provider_id, starts_at, ends_at), AllocationRow.state.in_(_LIVE), ~has_lapsed)
        .order_by(AllocationRow.blocked_from)
    )
    return [(row.blocked_from, row.blocked_until) for row in await tx.all(statement)]


def live_from(provider_id: UUID, moment: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    """Return what is true of a provider's live allocations that have not ended at a moment of the database's clock."""
    has_lapsed = (AllocationRow.state == "held") & (AllocationRow.expires_at <= moment)
    return [
        AllocationRow.resource_id == provider_id,
        AllocationRow.unit == PERSON,
        AllocationRow.blocked_until > moment,
        AllocationRow.state.in_(_LIVE),
        ~has_lapsed,
    ]


async def lock_lapsed_in_the_way(
    tx: WriteTx, *, provider_id: UUID, starts_at: datetime, ends_at: datetime
) -> list[UUID]:
    """Lock the lapsed holds that overlap a time, in the order of their ids, and return their bookings."""
    statement = (
        select(AllocationRow.booking_id)
        .where(
            *_overlapping(provider_id, starts_at, ends_at),
            AllocationRow.state == "held",
            AllocationRow.expires_at <= tx.now(),
        )
        .order_by(AllocationRow.id)
    )
    return [row.booking_id for row in await tx.lock(statement)]


async def lock_allocation(tx: WriteTx, *, booking_id: UUID) -> None:
    """Keep every other change of the booking waiting until this transaction ends."""
    await tx.lock(select(AllocationRow.id).where(AllocationRow.booking_id == booking_id))


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

    This row decides between a confirmation and everything else that may happen to the hold. A hold that has lapsed,
    but that nobody has ended, is still a hold.
    """
    statement = update(AllocationRow).values(state="confirmed", expires_at=None, version=AllocationRow.version + 1)
    return await tx.execute(statement.where(*_held(booking_id))) == 1


async def release_time(tx: WriteTx, *, booking_id: UUID) -> bool:
    """Give the time back. Return False when it was given back already."""
    statement = (
        update(AllocationRow)
        .values(state="released", expires_at=None, version=AllocationRow.version + 1)
        .where(AllocationRow.booking_id == booking_id, AllocationRow.state.in_(_LIVE))
    )
    return await tx.execute(statement) == 1


def _held(booking_id: UUID) -> list[ColumnElement[bool]]:
    return [AllocationRow.booking_id == booking_id, AllocationRow.state == "held"]


def attempts_to_break_the_guard(now: datetime) -> Sequence[Sequence[Executable]]:
    """Return two ways to take a time twice, for a provider who does not exist: by a new row and by a changed one."""
    hour = timedelta(hours=1)
    provider_id = uuid4()
    first, second, changed = (
        Claim(
            id=uuid4(),
            booking_id=uuid4(),
            provider_id=provider_id,
            starts_at=now + offset,
            ends_at=now + offset + hour,
            expires_at=now + hour,
        )
        for offset in (0 * hour, hour / 2, hour)
    )
    insert_first, insert_second, insert_changed = (
        insert(AllocationRow).values(claim.row()) for claim in (first, second, changed)
    )
    move = update(AllocationRow).where(AllocationRow.id == changed.id).values(blocked_from=now + hour / 2)
    return [[insert_first, insert_second], [insert_first, insert_changed, move]]
