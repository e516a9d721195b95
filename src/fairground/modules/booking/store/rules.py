"""Opening hours."""

from uuid import UUID

from sqlalchemy import select, update

from fairground.contracts.booking import AvailabilityRules
from fairground.modules.booking.tables import ProviderZoneRow, RulesRow
from fairground.platform.db.database import ReadTx, WriteTx


async def find_rules(tx: ReadTx, *, provider_id: UUID) -> AvailabilityRules | None:
    """Return the provider's hours in the provider's zone."""
    statement = (
        select(RulesRow.document, ProviderZoneRow.timezone)
        .join(ProviderZoneRow, ProviderZoneRow.provider_id == RulesRow.provider_id)
        .where(RulesRow.provider_id == provider_id)
    )
    row = await tx.one_or_none(statement)
    return None if row is None else AvailabilityRules.model_validate(row.document | {"timezone": row.timezone})


async def raise_zone(tx: WriteTx, *, provider_id: UUID, timezone: str, version: int) -> bool:
    """Keep a zone of the provider, unless it is no newer than the one that is kept. Return whether it was newer."""
    zone = {"timezone": timezone, "version": version}
    if await tx.insert_ignore(ProviderZoneRow, [{"provider_id": provider_id, **zone}]):
        return True
    older = (ProviderZoneRow.provider_id == provider_id) & (ProviderZoneRow.version < version)
    return await tx.execute(update(ProviderZoneRow).where(older).values(**zone)) == 1


async def lock_version(tx: WriteTx, *, provider_id: UUID) -> int:
    """Return the version of the provider's hours, 0 before the first, and keep others from replacing them."""
    await tx.insert_ignore(
        RulesRow,
        [{"provider_id": provider_id, "version": 0, "told_version": 0, "document": {"weekly": []}}],
    )
    rows = await tx.lock(select(RulesRow.version).where(RulesRow.provider_id == provider_id))
    version: int = rows[0].version
    return version


async def put_rules(tx: WriteTx, *, provider_id: UUID, rules: AvailabilityRules, version: int) -> None:
    document = rules.model_dump(mode="json", exclude={"timezone"})
    own = RulesRow.provider_id == provider_id
    await tx.execute(update(RulesRow).where(own).values(version=version, document=document))


async def find_told_version(tx: ReadTx, *, provider_id: UUID) -> int | None:
    """Return how often others were told of the provider's free days; None for one who has never set hours."""
    version: int | None = await tx.scalar(select(RulesRow.told_version).where(RulesRow.provider_id == provider_id))
    return version


async def lock_told_version(tx: WriteTx, *, provider_id: UUID) -> int:
    """Return the same, and keep others from telling."""
    rows = await tx.lock(select(RulesRow.told_version).where(RulesRow.provider_id == provider_id))
    version: int = rows[0].told_version
    return version


async def set_told_version(tx: WriteTx, *, provider_id: UUID, version: int) -> None:
    await tx.execute(update(RulesRow).where(RulesRow.provider_id == provider_id).values(told_version=version))
