"""How many bookings of each provider took place."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Integer, bindparam, select, update

from fairground.modules.booking.deals.tables import ProviderCounterRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import among


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
