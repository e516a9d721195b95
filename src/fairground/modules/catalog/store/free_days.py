"""On which days providers are free, as booking told it last."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select, update

from fairground.modules.catalog.tables import DayRow, WeekRow
from fairground.platform.db.database import WriteTx


async def replace_free_days(
    tx: WriteTx, provider_id: UUID, *, version: int, timezone: str, week: Sequence[str], days: Mapping[date, str]
) -> None:
    """Keep what is told, unless something newer was told already. Times are as `WeekRow.last_starts` has them."""
    mine = WeekRow.provider_id == provider_id
    told = {"timezone": timezone, "last_starts": "".join(week)}
    await tx.insert_ignore(WeekRow, [{"provider_id": provider_id, "version": 0, **told}])
    await tx.lock(select(WeekRow.version).where(mine))
    newer = update(WeekRow).where(mine, WeekRow.version < version).values(version=version, **told)
    if not await tx.execute(newer):
        return
    await tx.execute(delete(DayRow).where(DayRow.provider_id == provider_id))
    rows = [{"provider_id": provider_id, "day": day, "last_start": last} for day, last in days.items()]
    await tx.insert_many(DayRow, rows)
