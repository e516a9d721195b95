"""A provider's opening hours, and the zone that gives them their instants."""

from uuid import UUID

from fairground.contracts.booking.availability import AvailabilityRules, AvailabilityRulesSet, RulesInvalid, hours_tag
from fairground.contracts.providers import ProviderNotFound, ProviderRef, Providers, ProviderTimezoneSet
from fairground.modules.booking.time import store
from fairground.modules.booking.time.domain.rules import check_rules
from fairground.platform.db.database import Database


class Rules:
    def __init__(self, *, db: Database, catalog: Providers) -> None:
        self._db = db
        self._catalog = catalog

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules:
        provider = await self._catalog.get_provider_ref(provider_id=provider_id)
        async with self._db.read() as tx:
            rules = await store.find_rules(tx, provider_id=provider_id)
        # As the catalog has it: hours of before zones belonged to providers may have another one while they are empty.
        empty = AvailabilityRules(timezone=provider.timezone, weekly=[])
        return rules.model_copy(update={"timezone": provider.timezone}) if rules else empty

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
        await self._replace(provider, rules)
        return rules

    async def _replace(self, provider: ProviderRef, rules: AvailabilityRules) -> None:
        async with self._db.write() as tx:
            tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))
            version = await store.lock_version(tx, provider_id=provider.id) + 1
            await store.put_rules(tx, provider_id=provider.id, rules=rules, version=version)
            await store.keep_newer_zone(
                tx, provider_id=provider.id, timezone=provider.timezone, version=provider.timezone_version
            )
            await tx.emit(AvailabilityRulesSet(provider_id=provider.id, has_hours=bool(rules.weekly), version=version))

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        """Let the hours keep their wall times in a new zone. An older change than the kept one is ignored."""
        async with self._db.write() as tx:
            is_newer = await store.keep_newer_zone(
                tx, provider_id=change.provider_id, timezone=change.timezone, version=change.version
            )
            if is_newer:
                tx.invalidate(hours_tag(change.provider_id), hours_tag(change.slug))
