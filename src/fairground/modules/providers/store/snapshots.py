"""Snapshots of providers, for read models."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from fairground.contracts.providers import ProviderSnapshot
from fairground.modules.providers.store.cards import list_categories
from fairground.modules.providers.tables import ProviderRow, ServiceRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import among

_NAMES: Final = [
    name for name in ProviderSnapshot.model_fields if name not in {"categories", "service_names", "updated_at"}
]
_COLUMNS: Final = (
    *(getattr(ProviderRow, name) for name in _NAMES),
    func.coalesce(ProviderRow.updated_at, ProviderRow.created_at).label("updated_at"),
)


async def list_snapshots(tx: ReadTx, provider_ids: Collection[UUID]) -> list[ProviderSnapshot]:
    statement = select(*_COLUMNS).where(among(ProviderRow.id, provider_ids)).order_by(ProviderRow.id)
    return await _snapshots(tx, await tx.all(statement))


async def list_snapshots_after(tx: ReadTx, provider_id: UUID | None, *, limit: int) -> list[ProviderSnapshot]:
    statement = select(*_COLUMNS).order_by(ProviderRow.id).limit(limit)
    if provider_id is not None:
        statement = statement.where(ProviderRow.id > provider_id)
    return await _snapshots(tx, await tx.all(statement))


async def _snapshots(tx: ReadTx, rows: Sequence[Any]) -> list[ProviderSnapshot]:
    # A change between these statements raises the version, so its own event brings the next snapshot.
    ids = [row.id for row in rows]
    categories, service_names = await list_categories(tx, ids), await _list_service_names(tx, ids)
    return [
        ProviderSnapshot(**row._asdict(), categories=categories[row.id], service_names=service_names[row.id])
        for row in rows
    ]


async def _list_service_names(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    offered = (among(ServiceRow.provider_id, provider_ids), ServiceRow.withdrawn_at.is_(None))
    statement = select(ServiceRow.provider_id, ServiceRow.name).where(*offered).order_by(ServiceRow.id)
    for provider_id, name in await tx.all(statement):
        found[provider_id].append(name)
    return found
