"""Hours and zones of providers: every SQL statement about when they can be booked."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from fairground.contracts.booking.availability import AvailabilityRules
from fairground.modules.booking.time.tables import ProviderZoneRow, RulesRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared


async def find_rules(tx: ReadTx, *, provider_id: UUID) -> AvailabilityRules | None:
    """Return the provider's hours in the provider's zone."""
    row = await tx.one_or_none(_rules(tx.ops), {"provider": provider_id})
    return None if row is None else rules_of(row)


@lru_cache(maxsize=2)
def _rules(_ops: SQLOps) -> Prepared:
    return Prepared(select_rules())


def select_rules() -> Select[Any]:
    """Select the hours of the provider that is the parameter `provider`."""
    return (
        select(RulesRow.document, ProviderZoneRow.timezone)
        .join(ProviderZoneRow, ProviderZoneRow.provider_id == RulesRow.provider_id)
        .where(RulesRow.provider_id == bindparam("provider"))
    )


def rules_of(row: Any) -> AvailabilityRules:
    return AvailabilityRules.model_validate(row.document | {"timezone": row.timezone})


async def keep_newer_zones(tx: WriteTx, zones: Mapping[UUID, tuple[str, int]]) -> None:
    """Keep the zone of each provider, unless it is no newer than the one that is kept.

    Args:
        zones: The zone and its version by provider.
    """
    rows = [{"provider_id": each, "timezone": zone, "version": version} for each, (zone, version) in zones.items()]
    if await tx.insert_many(ProviderZoneRow, rows) < len(rows):
        for each, (zone, version) in zones.items():
            await keep_newer_zone(tx, provider_id=each, timezone=zone, version=version)


async def keep_newer_zone(tx: WriteTx, *, provider_id: UUID, timezone: str, version: int) -> bool:
    """Keep a zone of the provider, unless it is no newer than the one that is kept. Return whether it was newer."""
    zone = {"timezone": timezone, "version": version}
    if await tx.insert_ignore(ProviderZoneRow, [{"provider_id": provider_id, **zone}]):
        return True
    older = (ProviderZoneRow.provider_id == provider_id) & (ProviderZoneRow.version < version)
    return await tx.execute(update(ProviderZoneRow).where(older).values(**zone)) == 1


async def lock_version(tx: WriteTx, *, provider_id: UUID) -> int:
    """Return the version of the provider's hours, 0 before the first, and keep others from replacing them."""
    await tx.insert_ignore(RulesRow, [{"provider_id": provider_id, "version": 0, "document": {"weekly": []}}])
    rows = await tx.lock(select(RulesRow.version).where(RulesRow.provider_id == provider_id))
    version: int = rows[0].version
    return version


async def put_rules(tx: WriteTx, *, provider_id: UUID, rules: AvailabilityRules, version: int) -> None:
    own = RulesRow.provider_id == provider_id
    await tx.execute(update(RulesRow).where(own).values(version=version, document=_document(rules)))


async def insert_rules(tx: WriteTx, rules: Mapping[UUID, AvailabilityRules], *, version: int) -> bool:
    """Insert the hours of providers who have none. Return False when one of them has, and the caller rolls back."""
    rows = [{"provider_id": each, "version": version, "document": _document(rules[each])} for each in sorted(rules)]
    return await tx.insert_many(RulesRow, rows) == len(rows)


def _document(rules: AvailabilityRules) -> dict[str, Any]:
    return rules.model_dump(mode="json", exclude={"timezone"})


async def find_published_version(tx: ReadTx, *, provider_id: UUID) -> int | None:
    """Return the version of the provider's availability summary; None for one who has never set hours."""
    version: int | None = await tx.scalar(_published_version(tx.ops), {"provider": provider_id})
    return version


@lru_cache(maxsize=2)
def _published_version(_ops: SQLOps) -> Prepared:
    return Prepared(select(RulesRow.published_version).where(RulesRow.provider_id == bindparam("provider")))


async def lock_published_version(tx: WriteTx, *, provider_id: UUID) -> int:
    """Return the same, and keep other transactions from publishing one."""
    version: int = await tx.scalar(_published_version_lock(tx.ops), {"provider": provider_id})
    return version


@lru_cache(maxsize=2)
def _published_version_lock(ops: SQLOps) -> Prepared:
    mine = RulesRow.provider_id == bindparam("provider")
    return Prepared(ops.lock_rows(select(RulesRow.published_version).where(mine)))


async def set_published_version(tx: WriteTx, *, provider_id: UUID, version: int) -> None:
    await tx.execute(_publication(tx.ops), {"provider": provider_id, "version": version})


@lru_cache(maxsize=2)
def _publication(_ops: SQLOps) -> Prepared:
    mine = RulesRow.provider_id == bindparam("provider")
    return Prepared(update(RulesRow).where(mine).values(published_version=bindparam("version")))
