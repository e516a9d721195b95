"""Availability summaries of providers: a weekly pattern, and the exceptional days beside it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update

from fairground.modules.discovery.domain.availability_summary import CLOSED, open_days
from fairground.modules.discovery.tables import DayRow, WeekRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import among

_NEVER_OPEN: Final = {"version": 0, "timezone": "UTC", "last_starts": CLOSED * 7}


async def lock_summaries(tx: WriteTx, provider_ids: Collection[UUID]) -> dict[UUID, int]:
    """Serialise the writers of these providers' rows until this transaction ends; return their open days as bits."""
    # In one order, so that two writers of the same providers wait for each other in one direction only.
    ordered = sorted(provider_ids)
    await tx.insert_many(WeekRow, [{"provider_id": provider_id, **_NEVER_OPEN} for provider_id in ordered])
    mine = among(WeekRow.provider_id, ordered)
    columns: tuple[Any, ...] = (WeekRow.provider_id, WeekRow.last_starts)
    weeks = await tx.lock(select(*columns).where(mine).order_by(WeekRow.provider_id))
    days: dict[UUID, dict[date, str]] = defaultdict(dict)
    exceptional = select(DayRow.provider_id, DayRow.day, DayRow.last_start)
    for row in await tx.all(exceptional.where(among(DayRow.provider_id, ordered))):
        days[row.provider_id][row.day] = row.last_start
    return {row.provider_id: open_days(row.last_starts, days[row.provider_id]) for row in weeks}


async def replace_summary(
    tx: WriteTx, provider_id: UUID, *, version: int, timezone: str, week: Sequence[str], days: Mapping[date, str]
) -> AbstractSet[date] | None:
    """Replace a summary, unless a newer one is there. Times are as `WeekRow.last_starts` has them.

    Returns:
        The dates whose last start changed; None when the weekly pattern did, and so any date.
    """
    mine = WeekRow.provider_id == provider_id
    changes = {"timezone": timezone, "last_starts": "".join(week)}
    await tx.insert_ignore(WeekRow, [{"provider_id": provider_id, **_NEVER_OPEN}])
    (before,) = await tx.lock(select(WeekRow).where(mine))
    newer = update(WeekRow).where(mine, WeekRow.version < version).values(version=version, **changes)
    if not await tx.execute(newer):
        return frozenset()
    stored = select(DayRow.day, DayRow.last_start).where(DayRow.provider_id == provider_id)
    known = {row.day: row.last_start for row in await tx.all(stored)}
    await tx.execute(delete(DayRow).where(DayRow.provider_id == provider_id))
    rows = [{"provider_id": provider_id, "day": day, "last_start": last} for day, last in days.items()]
    await tx.insert_many(DayRow, rows)
    if before.version == 0 or (before.timezone, before.last_starts) != (timezone, changes["last_starts"]):
        return None
    return {day for day, _ in known.items() ^ days.items()}
