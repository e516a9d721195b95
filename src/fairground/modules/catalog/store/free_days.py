"""On which days providers are free, as booking told it last."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select, update

from fairground.modules.catalog.tables import DayRow, WeekRow
from fairground.platform.db.database import WriteTx


async def replace_free_days(
    tx: WriteTx, provider_id: UUID, *, version: int, timezone: str, week: Sequence[str], days: Mapping[date, str]
) -> AbstractSet[date] | None:
    """Keep what is told, unless something newer was told already. Times are as `WeekRow.last_starts` has them.

    Returns:
        The dates of which something else is told than before; None when it is the week, and so any date.
    """
    mine = WeekRow.provider_id == provider_id
    told = {"timezone": timezone, "last_starts": "".join(week)}
    is_first = await tx.insert_ignore(WeekRow, [{"provider_id": provider_id, "version": 0, **told}])
    (before,) = await tx.lock(select(WeekRow).where(mine))
    newer = update(WeekRow).where(mine, WeekRow.version < version).values(version=version, **told)
    if not await tx.execute(newer):
        return frozenset()
    kept = select(DayRow.day, DayRow.last_start).where(DayRow.provider_id == provider_id)
    known = {row.day: row.last_start for row in await tx.all(kept)}
    await tx.execute(delete(DayRow).where(DayRow.provider_id == provider_id))
    rows = [{"provider_id": provider_id, "day": day, "last_start": last} for day, last in days.items()]
    await tx.insert_many(DayRow, rows)
    if is_first or (before.timezone, before.last_starts) != (timezone, told["last_starts"]):
        return None
    return {day for day, _ in known.items() ^ days.items()}
