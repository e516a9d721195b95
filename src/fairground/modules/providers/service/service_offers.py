"""Services: what a provider offers."""

from uuid import UUID

from fairground.contracts.providers import (
    SERVICES_MAX,
    Service,
    ServiceIn,
    ServiceInvalid,
    ServiceNotFound,
    ServicesChanged,
)
from fairground.kernel.clock import Clock
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.checks import check_service
from fairground.modules.providers.service.access import announce, get_pack, lock_owned
from fairground.modules.providers.store import profiles, services
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals


class ServiceOffers:
    def __init__(self, *, db: Database, verticals: Verticals, clock: Clock, currency: str) -> None:
        self._db = db
        self._verticals = verticals
        self._clock = clock
        self._currency = currency

    async def add_service(self, *, owner_id: UUID, provider_id: UUID, service: ServiceIn) -> Service:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            checked = check_service(get_pack(self._verticals, provider.vertical), service, currency=self._currency)
            if await services.count_services(tx, provider_id) >= SERVICES_MAX:
                raise ServiceInvalid(f"A provider offers at most {SERVICES_MAX} services.", hint="Withdraw one first.")
            added = await services.insert_service(tx, checked, service_id=uuid7(), provider_id=provider_id)
            await services.refresh_price(tx, provider_id)
            await profiles.change_profile(tx, provider_id, {"updated_at": self._clock.now()})
            await tx.emit(ServicesChanged(provider_id=provider_id))
            await announce(tx, provider)
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
            await announce(tx, provider)
