"""Services as they are written: those of one provider at a time, locked by its caller."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, bindparam, func, insert, select, update

from fairground.contracts.providers import Service, ServiceIn
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.modules.providers.store.details import list_services
from fairground.modules.providers.tables import ProviderRow, ServiceRow
from fairground.platform.db.database import ReadTx, WriteTx

_WRITTEN: Final = tuple(name for name in ServiceIn.model_fields if name != "is_paused")


async def insert_service(tx: WriteTx, service: ServiceIn, *, service_id: UUID, provider_id: UUID) -> Service:
    """Insert a service behind the others."""
    inserted = Service(id=service_id, provider_id=provider_id, **service.model_dump())
    position = await _next_position(tx, provider_id)
    await tx.execute(insert(ServiceRow).values(**inserted.model_dump(), position=position))
    return inserted


async def change_service(tx: WriteTx, service_id: UUID, service: ServiceIn) -> None:
    """Replace all but the pause."""
    values = service.model_dump(include=set(_WRITTEN))
    await tx.execute(update(ServiceRow).where(ServiceRow.id == service_id).values(**values))


async def set_paused(tx: WriteTx, service_id: UUID, *, is_paused: bool) -> None:
    await tx.execute(update(ServiceRow).where(ServiceRow.id == service_id).values(is_paused=is_paused))


async def order_services(tx: WriteTx, service_ids: Sequence[UUID]) -> None:
    """Put all services of a provider in this order."""
    moved = update(ServiceRow).where(ServiceRow.id == bindparam("moved_id")).values(position=bindparam("to"))
    await tx.execute(moved, [{"moved_id": service_id, "to": index} for index, service_id in enumerate(service_ids)])


async def find_provider_of_service(tx: ReadTx, service_id: UUID) -> UUID | None:
    """Return the provider of a service that is offered."""
    offered = and_(ServiceRow.id == service_id, ServiceRow.withdrawn_at.is_(None))
    provider_id: UUID | None = await tx.scalar(select(ServiceRow.provider_id).where(offered))
    return provider_id


async def withdraw_service(tx: WriteTx, service_id: UUID) -> bool:
    """Stop offering a service. Return False when it is not offered."""
    offered = and_(ServiceRow.id == service_id, ServiceRow.withdrawn_at.is_(None))
    return await tx.execute(update(ServiceRow).where(offered).values(withdrawn_at=tx.now())) == 1


async def refresh_price(tx: WriteTx, provider_id: UUID) -> None:
    """Set the lowest total of a locked provider from its services."""
    services = (await list_services(tx, [provider_id]))[provider_id]
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider_id).values(price_columns(services)))


def price_columns(services: Iterable[Service | ServiceIn]) -> dict[str, Any]:
    """Return the columns of the lowest total for which a provider with these services can be booked."""
    totals = [(compute_service_total(service), service.currency) for service in services if not service.is_paused]
    lowest_minor, currency = min(totals, default=(None, None))
    return {"price_from_minor": lowest_minor, "currency": currency}


async def _next_position(tx: ReadTx, provider_id: UUID) -> int:
    last: int | None = await tx.scalar(
        select(func.max(ServiceRow.position)).where(ServiceRow.provider_id == provider_id)
    )
    return 0 if last is None else last + 1
