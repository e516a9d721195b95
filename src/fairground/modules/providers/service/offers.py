"""The services of a provider, as its owner changes them."""

from collections.abc import Sequence
from uuid import UUID

from fairground.contracts.providers import (
    SERVICES_MAX,
    ProviderRef,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceInvalid,
    ServiceListChanged,
    ServiceNotFound,
    ServicesChanged,
)
from fairground.contracts.providers.service_rules import check_service
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.services import apply_changes, as_new, name_copy
from fairground.modules.providers.service.access import announce, get_pack, get_record, grounds_of, lock_owned
from fairground.modules.providers.store import profiles, services
from fairground.modules.providers.store.details import OwnRecord
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class ServiceOffers:
    def __init__(self, *, db: Database, verticals: Verticals, clock: Clock, currency: str) -> None:
        self._db = db
        self._verticals = verticals
        self._clock = clock
        self._currency = currency

    async def add_service(self, *, owner_id: UUID, provider_id: UUID, service: ServiceIn) -> Service:
        async with self._db.write() as tx:
            provider, record = await _lock_record(tx, provider_id, owner_id=owner_id)
            checked = self._check(service, record)
            _require_room(record)
            added = await services.insert_service(tx, checked, service_id=uuid7(), provider_id=provider_id)
            await self._announce_services(tx, provider)
        return added

    async def change_service(
        self, *, owner_id: UUID, provider_id: UUID, service_id: UUID, changes: ServiceChanges
    ) -> Service:
        async with self._db.write() as tx:
            # Under the lock, what is checked is the service with the changes of concurrent calls.
            provider, record = await _lock_record(tx, provider_id, owner_id=owner_id)
            current = _get(record, service_id)
            checked = self._check(apply_changes(current, changes), record)
            await services.change_service(tx, service_id, checked)
            await self._announce_services(tx, provider)
        return Service(id=service_id, provider_id=provider_id, **checked.model_dump())

    async def duplicate_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        async with self._db.write() as tx:
            provider, record = await _lock_record(tx, provider_id, owner_id=owner_id)
            original = _get(record, service_id)
            copy = self._check(as_new(original, name=name_copy(original.name), is_paused=True), record)
            _require_room(record)
            added = await services.insert_service(tx, copy, service_id=uuid7(), provider_id=provider_id)
            order = [each.id for each in record.detail.services]
            order.insert(order.index(service_id) + 1, added.id)
            await services.order_services(tx, order)
            await self._announce_services(tx, provider)
        return added

    async def pause_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        return await self._set_paused(service_id, provider_id=provider_id, owner_id=owner_id, is_paused=True)

    async def resume_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        return await self._set_paused(service_id, provider_id=provider_id, owner_id=owner_id, is_paused=False)

    async def order_services(self, *, owner_id: UUID, provider_id: UUID, service_ids: Sequence[UUID]) -> list[Service]:
        async with self._db.write() as tx:
            provider, record = await _lock_record(tx, provider_id, owner_id=owner_id)
            present = {service.id: service for service in record.detail.services}
            if sorted(service_ids) != sorted(present):
                raise ServiceListChanged(f"There are {len(present)} services; the order names others.")
            if list(service_ids) != list(present):
                await services.order_services(tx, service_ids)
                await self._announce_page(tx, provider)
        return [present[service_id] for service_id in service_ids]

    async def withdraw_service(self, *, owner_id: UUID, service_id: UUID) -> None:
        async with self._db.write() as tx:
            provider_id = await services.find_provider_of_service(tx, service_id)
            provider = await profiles.lock_provider(tx, provider_id) if provider_id else None
            is_own = provider is not None and provider.owner_id == owner_id
            # The lock makes the lowest price right after two concurrent withdrawals.
            if provider is None or not is_own or not await services.withdraw_service(tx, service_id):
                raise _not_found(service_id)
            await self._announce_services(tx, provider)

    async def _set_paused(self, service_id: UUID, *, provider_id: UUID, owner_id: UUID, is_paused: bool) -> Service:
        async with self._db.write() as tx:
            provider, record = await _lock_record(tx, provider_id, owner_id=owner_id)
            service = _get(record, service_id)
            if service.is_paused is not is_paused:
                await services.set_paused(tx, service_id, is_paused=is_paused)
                await self._announce_services(tx, provider)
        return service.model_copy(update={"is_paused": is_paused})

    def _check(self, service: ServiceIn, record: OwnRecord) -> ServiceIn:
        pack = get_pack(self._verticals, record.detail.vertical)
        return check_service(pack, service, grounds=grounds_of(record), currency=self._currency)

    async def _announce_services(self, tx: WriteTx, provider: ProviderRef) -> None:
        """Announce a change of what can be booked, and set the provider's lowest price by it."""
        await services.refresh_price(tx, provider.id)
        await tx.emit(ServicesChanged(provider_id=provider.id))
        await self._announce_page(tx, provider)

    async def _announce_page(self, tx: WriteTx, provider: ProviderRef) -> None:
        await profiles.change_profile(tx, provider.id, {"updated_at": self._clock.now()})
        await announce(tx, provider)


async def _lock_record(tx: WriteTx, provider_id: UUID, *, owner_id: UUID) -> tuple[ProviderRef, OwnRecord]:
    """Lock a provider of the owner's, and return it with its services; raise ProviderNotFound as `lock_owned` does."""
    provider = await lock_owned(tx, provider_id, owner_id=owner_id)
    return provider, await get_record(tx, provider_id)


def _get(record: OwnRecord, service_id: UUID) -> Service:
    for service in record.detail.services:
        if service.id == service_id:
            return service
    raise _not_found(service_id)


def _require_room(record: OwnRecord) -> None:
    if len(record.detail.services) >= SERVICES_MAX:
        raise ServiceInvalid(f"A provider offers at most {SERVICES_MAX} services.", hint="Withdraw one first.")


def _not_found(service_id: UUID) -> ServiceNotFound:
    return ServiceNotFound(f"There is no service {service_id}.")
