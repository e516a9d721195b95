"""Services: what a provider offers, and the lowest price that follows from it."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select, update

from fairground.contracts.providers import Offer, ProviderStatus, Service, ServiceIn
from fairground.modules.providers.tables import ProviderRow, ServiceRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_SERVICE_COLUMNS = [getattr(ServiceRow, name) for name in Service.model_fields]


async def list_services(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[Service]]:
    """Return what each provider offers, the oldest first."""
    found: dict[UUID, list[Service]] = defaultdict(list)
    if provider_ids:
        offered = and_(among(ServiceRow.provider_id, provider_ids), ServiceRow.withdrawn_at.is_(None))
        for row in await tx.all(select(*_SERVICE_COLUMNS).where(offered).order_by(ServiceRow.id)):
            found[row.provider_id].append(Service(**row._asdict()))
    return found


async def count_services(tx: ReadTx, provider_id: UUID) -> int:
    statement = select(func.count()).select_from(ServiceRow)
    count: int = await tx.scalar(
        statement.where(ServiceRow.provider_id == provider_id, ServiceRow.withdrawn_at.is_(None))
    )
    return count


async def insert_service(tx: WriteTx, service: ServiceIn, *, service_id: UUID, provider_id: UUID) -> Service:
    inserted = Service(id=service_id, provider_id=provider_id, **service.model_dump())
    await tx.execute(insert(ServiceRow).values(**inserted.model_dump()))
    return inserted


async def find_provider_of_service(tx: ReadTx, service_id: UUID) -> UUID | None:
    """Return whose service this is, as long as it is offered."""
    offered = and_(ServiceRow.id == service_id, ServiceRow.withdrawn_at.is_(None))
    provider_id: UUID | None = await tx.scalar(select(ServiceRow.provider_id).where(offered))
    return provider_id


async def withdraw_service(tx: WriteTx, service_id: UUID) -> bool:
    """Stop offering a service. Return False when it is not offered any more."""
    offered = and_(ServiceRow.id == service_id, ServiceRow.withdrawn_at.is_(None))
    return await tx.execute(update(ServiceRow).where(offered).values(withdrawn_at=tx.now())) == 1


async def refresh_price(tx: WriteTx, provider_id: UUID) -> None:
    """Set the lowest price of a provider from what it offers. The caller holds the lock on the provider."""
    offered = and_(ServiceRow.provider_id == provider_id, ServiceRow.withdrawn_at.is_(None))
    lowest, currency = await tx.one_or_none(
        select(func.min(ServiceRow.price_minor), func.min(ServiceRow.currency)).where(offered)
    )
    await tx.execute(
        update(ProviderRow).where(ProviderRow.id == provider_id).values(price_values(lowest, currency=currency))
    )


def price_values(lowest_minor: int | None, *, currency: str | None = None) -> dict[str, Any]:
    """Return the columns of a provider that show its lowest price."""
    return {
        "price_from_minor": lowest_minor,
        "currency": None if lowest_minor is None else currency,
    }


async def find_offer(tx: ReadTx, service_id: UUID) -> Offer | None:
    """Return a service with its terms, also when it is withdrawn or its provider is not approved."""
    statement = (
        select(
            ServiceRow.id.label("service_id"),
            ServiceRow.name.label("service_name"),
            ServiceRow.price_minor,
            ServiceRow.currency,
            ServiceRow.duration_minutes,
            ServiceRow.booking_mode,
            ProviderRow.id.label("provider_id"),
            ProviderRow.business_name.label("provider_name"),
            ProviderRow.slug.label("provider_slug"),
            ProviderRow.owner_id,
            ProviderRow.vertical,
            ProviderRow.location,
            ProviderRow.timezone,
            _is_bookable().label("is_bookable"),
        )
        .join(ProviderRow, ProviderRow.id == ServiceRow.provider_id)
        .where(ServiceRow.id == service_id)
    )
    row = await tx.one_or_none(statement)
    return Offer(**row._asdict()) if row else None


def _is_bookable() -> ColumnElement[bool]:
    return and_(
        ServiceRow.withdrawn_at.is_(None),
        ProviderRow.owner_id.is_not(None),
        ProviderRow.status == ProviderStatus.APPROVED,
    )
