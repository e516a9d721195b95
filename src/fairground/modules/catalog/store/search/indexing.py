"""What the engine is told: documents made anew from what providers are now."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from fairground.contracts.catalog import ProviderStatus
from fairground.modules.catalog.domain.search.documents import Document, describe
from fairground.modules.catalog.store.cards import list_categories
from fairground.modules.catalog.store.search.engine import SearchEngine
from fairground.modules.catalog.tables import ProviderRow, ServiceRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_COLUMNS: Final[tuple[Any, ...]] = (
    ProviderRow.id,
    ProviderRow.status,
    ProviderRow.vertical,
    ProviderRow.business_name,
    ProviderRow.custom_subtitle,
    ProviderRow.bio,
    ProviderRow.location,
    ProviderRow.price_from_minor,
    ProviderRow.book_count,
    ProviderRow.rating_avg,
    ProviderRow.open_days,
)


async def index_anew(tx: WriteTx, engine: SearchEngine, provider_ids: Collection[UUID]) -> None:
    """Make what the engine knows of these providers equal to what they are, in this transaction."""
    documents = await describe_anew(tx, provider_ids)
    if len(documents) < len(provider_ids):
        await engine.drop(tx, list(set(provider_ids) - {document.provider_id for document in documents}))
    if documents:
        await engine.put(tx, documents)


async def describe_anew(tx: WriteTx, provider_ids: Collection[UUID]) -> list[Document]:
    """Lock providers, and return the documents of those who are approved."""
    # Whoever changes a provider holds its lock until the document is written; in one order, so that nobody is stuck.
    statement = select(*_COLUMNS).where(among(ProviderRow.id, provider_ids)).order_by(ProviderRow.id)
    rows = await tx.lock(statement)
    return await _describe(tx, [row for row in rows if row.status == ProviderStatus.APPROVED])


async def list_ids_after(tx: ReadTx, provider_id: UUID | None, *, limit: int) -> list[UUID]:
    """Return the next providers in any state, by their ids."""
    statement = select(ProviderRow.id).order_by(ProviderRow.id).limit(limit)
    ids: list[UUID] = await tx.scalars(
        statement if provider_id is None else statement.where(ProviderRow.id > provider_id)
    )
    return ids


async def _describe(tx: ReadTx, rows: Sequence[Any]) -> list[Document]:
    ids = [row.id for row in rows]
    categories, services = await list_categories(tx, ids), await _list_service_names(tx, ids)
    return [
        describe(
            provider_id=row.id,
            vertical=row.vertical,
            business_name=row.business_name,
            location=row.location,
            categories=categories[row.id],
            services=services[row.id],
            texts=(row.custom_subtitle, row.bio),
            price_from_minor=row.price_from_minor,
            book_count=row.book_count,
            rating_avg=row.rating_avg,
            open_days=row.open_days,
        )
        for row in rows
    ]


async def _list_service_names(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    offered = (among(ServiceRow.provider_id, provider_ids), ServiceRow.withdrawn_at.is_(None))
    for provider_id, name in await tx.all(
        select(ServiceRow.provider_id, ServiceRow.name).where(*offered).order_by(ServiceRow.id)
    ):
        found[provider_id].append(name)
    return found
