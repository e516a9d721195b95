"""What the public may see of one provider, and what other modules ask."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.providers import (
    Offer,
    ProviderDetail,
    ProviderRef,
    ProviderSnapshot,
    ProviderStatus,
    Service,
    ServiceNotFound,
)
from fairground.modules.providers.service.access import not_found, read_name
from fairground.modules.providers.store import profiles, services, snapshots
from fairground.platform.db.database import Database


class ProviderQueries:
    def __init__(self, *, db: Database, currency: str) -> None:
        self._db = db
        self._currency = currency

    async def get_currency(self) -> str:
        return self._currency

    async def get_provider(self, *, id_or_slug: str) -> ProviderDetail:
        provider_id, slug = read_name(id_or_slug)
        async with self._db.read() as tx:
            provider = await profiles.find_approved(tx, provider_id=provider_id, slug=slug)
        if provider is None:
            raise not_found(id_or_slug)
        return provider

    async def list_services(self, *, provider_id: UUID, viewer_id: UUID | None) -> list[Service]:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
            if provider is None or not _may_see(provider, viewer_id):
                raise not_found(provider_id)
            return (await services.list_services(tx, [provider_id]))[provider_id]

    async def get_offer(self, *, service_id: UUID) -> Offer:
        async with self._db.read() as tx:
            offer = await services.find_offer(tx, service_id)
        if offer is None:
            raise ServiceNotFound(f"There is no service {service_id}.")
        return offer

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
        if provider is None:
            raise not_found(provider_id)
        return provider

    async def list_snapshots(self, *, provider_ids: Collection[UUID]) -> list[ProviderSnapshot]:
        async with self._db.read() as tx:
            return await snapshots.list_snapshots(tx, provider_ids)

    async def list_snapshots_after(self, *, after: UUID | None, limit: int) -> list[ProviderSnapshot]:
        async with self._db.read() as tx:
            return await snapshots.list_snapshots_after(tx, after, limit=limit)

    async def find_provider_owned_by(self, *, owner_id: UUID) -> ProviderRef | None:
        async with self._db.read() as tx:
            return await profiles.find_ref_owned_by(tx, owner_id)


def _may_see(provider: ProviderRef, viewer_id: UUID | None) -> bool:
    return provider.status is ProviderStatus.APPROVED or (viewer_id is not None and provider.owner_id == viewer_id)
