"""Opening hours, and the free times that follow from them."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.booking import (
    Availability,
    AvailabilityRules,
    AvailabilityRulesSet,
    DetailsInvalid,
    RulesInvalid,
    Slot,
)
from fairground.contracts.booking.tags import hours_tag
from fairground.contracts.providers import ProviderNotFound, ProviderRef, ProviderStatus, ServiceNotFound
from fairground.modules.booking.domain.hours import check_rules
from fairground.modules.booking.domain.slots import list_offered, without_busy
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.store import allocations, rules

LONGEST_LIST_DAYS: Final = 62


class AvailabilityDesk(Desk):
    async def list_slots(
        self, *, provider_id: UUID, from_date: date, to_date: date, service_id: UUID | None
    ) -> Availability:
        if not timedelta(0) <= to_date - from_date < timedelta(days=LONGEST_LIST_DAYS):
            raise DetailsInvalid(
                f"{from_date} to {to_date} is not a span of 1 to {LONGEST_LIST_DAYS} days.",
                hint="Give both dates, the earlier one first.",
            )
        provider = await self._catalog.get_provider_ref(provider_id=provider_id)
        if provider.status is not ProviderStatus.APPROVED:
            raise ProviderNotFound(f"There is no provider {provider_id}.")
        duration = await self._duration(provider_id=provider_id, service_id=service_id)
        async with self._db.read() as tx:
            hours = await rules.find_rules(tx, provider_id=provider_id)
        if hours is None or duration is None:
            return Availability(timezone=provider.timezone, slots=[])
        slots = await self._free_slots(provider, hours, from_date=from_date, to_date=to_date, duration=duration)
        return Availability(timezone=hours.timezone, slots=slots)

    async def _duration(self, *, provider_id: UUID, service_id: UUID | None) -> timedelta | None:
        """Return how long the slots are, or None where there is nothing to book."""
        if service_id is None:
            services = await self._catalog.list_services(provider_id=provider_id, viewer_id=None)
            minutes = [service.duration_minutes for service in services]
            return timedelta(minutes=min(minutes)) if minutes else None
        offer = await self._catalog.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"The provider {provider_id} has no service {service_id}.")
        return timedelta(minutes=offer.duration_minutes) if offer.is_bookable else None

    async def _free_slots(
        self, provider: ProviderRef, hours: AvailabilityRules, *, from_date: date, to_date: date, duration: timedelta
    ) -> list[Slot]:
        pack = self._verticals.find(provider.vertical)
        if pack is None:
            return []
        async with self._db.read() as tx:
            now = await tx.current_time()
            offered = list_offered(
                hours, from_date=from_date, to_date=to_date, duration=duration, booking=pack.booking, now=now
            )
            if not offered:
                return []
            busy = await allocations.list_busy(
                tx, provider_id=provider.id, starts_at=offered[0].starts_at, ends_at=offered[-1].ends_at
            )
        return without_busy(offered, busy)

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules:
        provider = await self._catalog.get_provider_ref(provider_id=provider_id)
        async with self._db.read() as tx:
            hours = await rules.find_rules(tx, provider_id=provider_id)
        # As the catalog has it: hours of before zones belonged to providers may have another one while they are empty.
        empty = AvailabilityRules(timezone=provider.timezone, weekly=[])
        return hours.model_copy(update={"timezone": provider.timezone}) if hours else empty

    async def set_rules(self, *, owner_id: UUID, provider_id: UUID, rules: AvailabilityRules) -> AvailabilityRules:
        provider = await self._catalog.get_provider_ref(provider_id=provider_id)
        if provider.owner_id != owner_id:
            raise ProviderNotFound(f"You have no provider {provider_id}.")
        check_rules(rules)
        if rules.timezone != provider.timezone:
            raise RulesInvalid(
                f"The hours are in {rules.timezone}, and the zone of the provider is {provider.timezone}.",
                hint=f"PATCH /api/v1/service-provider-profiles/{provider_id} with timezone changes the zone of both.",
            )
        await self._replace_rules(provider, rules)
        return rules

    async def _replace_rules(self, provider: ProviderRef, hours: AvailabilityRules) -> None:
        provider_id = provider.id
        async with self._db.write() as tx:
            tx.touch(hours_tag(provider.id), hours_tag(provider.slug))
            version = await rules.lock_version(tx, provider_id=provider_id) + 1
            await rules.put_rules(tx, provider_id=provider_id, rules=hours, version=version)
            await rules.raise_zone(
                tx, provider_id=provider_id, timezone=provider.timezone, version=provider.timezone_version
            )
            await tx.emit(AvailabilityRulesSet(provider_id=provider_id, has_hours=bool(hours.weekly), version=version))
