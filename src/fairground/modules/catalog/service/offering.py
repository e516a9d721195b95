"""Services: what a provider offers."""

from uuid import UUID

from fairground.contracts.catalog import (
    SERVICES_MAX,
    Service,
    ServiceIn,
    ServiceInvalid,
    ServiceNotFound,
    ServicesChanged,
)
from fairground.kernel.ids import uuid7
from fairground.modules.catalog.domain.checks import check_service
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.store import profiles, services


class Offering(CatalogBase):
    async def add_service(self, *, owner_id: UUID, provider_id: UUID, service: ServiceIn) -> Service:
        async with self._db.write() as tx:
            provider = await self._lock_owned(tx, provider_id, owner_id=owner_id)
            checked = check_service(self._pack(provider.vertical), service, currency=self._settings.currency)
            if await services.count_services(tx, provider_id) >= SERVICES_MAX:
                raise ServiceInvalid(f"A provider offers at most {SERVICES_MAX} services.", hint="Withdraw one first.")
            added = await services.insert_service(tx, checked, service_id=uuid7(), provider_id=provider_id)
            await services.refresh_price(tx, provider_id)
            await profiles.change_profile(tx, provider_id, {"updated_at": self._clock.now()})
            await tx.emit(ServicesChanged(provider_id=provider_id))
            await self._announce(tx, provider)
        return added

    async def withdraw_service(self, *, owner_id: UUID, service_id: UUID) -> None:
        async with self._db.write() as tx:
            provider_id = await services.find_provider_of_service(tx, service_id)
            provider = await profiles.lock_provider(tx, provider_id) if provider_id else None
            is_own = provider is not None and provider.owner_id == owner_id
            # The lock is what makes the price right when two withdrawals of one provider meet.
            if provider is None or not is_own or not await services.withdraw_service(tx, service_id):
                raise ServiceNotFound(f"There is no service {service_id}.")
            await services.refresh_price(tx, provider.id)
            await profiles.change_profile(tx, provider.id, {"updated_at": self._clock.now()})
            await tx.emit(ServicesChanged(provider_id=provider.id))
            await self._announce(tx, provider)
