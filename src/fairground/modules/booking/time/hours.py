"""A provider's opening hours: replacing and changing them, and the zone of their wall times."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.booking.availability import (
    AvailabilityRules,
    AvailabilityRulesSet,
    FirstHoursSet,
    RulesChanges,
    RulesInvalid,
    TimeOff,
    hours_tag,
)
from fairground.contracts.providers import ProviderNotFound, ProviderRef, Providers, ProviderTimezoneSet
from fairground.kernel.messages import Job, Priority, Queue
from fairground.kernel.zones import find_zone, get_zone, start_of_day
from fairground.modules.booking.time.rules import check_new_dates, check_rules
from fairground.modules.booking.time.store import hours as hours_store
from fairground.platform.db.database import Database, WriteTx

_FIRST_VERSION: Final = 1


class EndPause(Job):
    """Show the free times of a provider again on the day until which bookings were paused."""

    topic: ClassVar = "booking.end_pause.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    provider_id: UUID


class ProviderHours:
    def __init__(self, *, db: Database, providers: Providers) -> None:
        self._db = db
        self._providers = providers

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules:
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        async with self._db.read() as tx:
            rules = await hours_store.find_rules(tx, provider_id=provider_id)
            now = await tx.current_time() if rules and rules.paused_until else None
        # As `providers` has it: hours of before zones belonged to providers may have another one while they are empty.
        if rules is None:
            return AvailabilityRules(timezone=provider.timezone, weekly=[])
        rules = rules.model_copy(update={"timezone": provider.timezone})
        if now is not None and not is_paused(rules, now=now):
            rules = rules.model_copy(update={"paused_until": None})
        return rules

    async def set_rules(self, *, owner_id: UUID, provider_id: UUID, rules: AvailabilityRules) -> AvailabilityRules:
        provider = await self._get_own(provider_id, owner_id=owner_id)
        _check_zone(rules.timezone, provider)
        return await self._replace(provider, lambda _: rules)

    async def change_rules(self, *, owner_id: UUID, provider_id: UUID, changes: RulesChanges) -> AvailabilityRules:
        provider = await self._get_own(provider_id, owner_id=owner_id)
        _check_zone(changes.timezone or provider.timezone, provider)
        changed = {name: getattr(changes, name) for name in changes.model_fields_set - {"timezone"}}
        return await self._replace(provider, lambda before: before.model_copy(update=changed))

    async def add_time_off(self, *, owner_id: UUID, provider_id: UUID, time_off: TimeOff) -> AvailabilityRules:
        provider = await self._get_own(provider_id, owner_id=owner_id)
        return await self._replace(
            provider, lambda before: before.model_copy(update={"time_off": [*before.time_off, time_off]})
        )

    async def remove_time_off(self, *, owner_id: UUID, provider_id: UUID, from_date: date) -> AvailabilityRules:
        provider = await self._get_own(provider_id, owner_id=owner_id)

        def without(before: AvailabilityRules) -> AvailabilityRules:
            left = [each for each in before.time_off if each.from_date != from_date]
            return before.model_copy(update={"time_off": left})

        return await self._replace(provider, without)

    async def _get_own(self, provider_id: UUID, *, owner_id: UUID) -> ProviderRef:
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        if provider.owner_id != owner_id:
            raise ProviderNotFound(f"Provider {provider_id} does not exist, or is not yours.")
        return provider

    async def set_first_rules(self, *, rules: Mapping[UUID, AvailabilityRules]) -> None:
        if not rules:
            return
        providers = await self._providers.get_provider_refs(provider_ids=rules.keys())
        kept = {provider_id: check_rules(hours) for provider_id, hours in rules.items()}
        for provider_id, hours in kept.items():
            _check_zone(hours.timezone, providers[provider_id])
        async with self._db.write() as tx:
            if not await hours_store.insert_rules(tx, kept, version=_FIRST_VERSION):
                raise RulesInvalid("One of the providers already has hours.")
            for provider in providers.values():
                tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))
            await hours_store.keep_newer_zones(
                tx, {each.id: (each.timezone, each.timezone_version) for each in providers.values()}
            )
            has_hours = {provider_id: bool(hours.weekly) for provider_id, hours in kept.items()}
            await tx.emit(FirstHoursSet(has_hours=has_hours, version=_FIRST_VERSION))

    async def _replace(
        self, provider: ProviderRef, change: Callable[[AvailabilityRules], AvailabilityRules]
    ) -> AvailabilityRules:
        """Replace the hours by what becomes of those that no other change can replace meanwhile."""
        async with self._db.write() as tx:
            tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))
            version = await hours_store.lock_version(tx, provider_id=provider.id) + 1
            await hours_store.keep_newer_zone(
                tx, provider_id=provider.id, timezone=provider.timezone, version=provider.timezone_version
            )
            stored = await hours_store.find_rules(tx, provider_id=provider.id)
            before = stored or AvailabilityRules(timezone=provider.timezone, weekly=[])
            rules = check_rules(change(before))
            now = await tx.current_time()
            check_new_dates(rules, before=before, today=now.astimezone(get_zone(provider.timezone)).date())
            await hours_store.put_rules(tx, provider_id=provider.id, rules=rules, version=version)
            await enqueue_end_of_pause(tx, rules, provider_id=provider.id, now=now)
            await tx.emit(AvailabilityRulesSet(provider_id=provider.id, has_hours=bool(rules.weekly), version=version))
        return rules

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        """Let the hours keep their wall times in a new zone. An older change than the kept one is ignored."""
        async with self._db.write() as tx:
            is_newer = await hours_store.keep_newer_zone(
                tx, provider_id=change.provider_id, timezone=change.timezone, version=change.version
            )
            if not is_newer:
                return
            tx.invalidate(hours_tag(change.provider_id), hours_tag(change.slug))
            rules = await hours_store.find_rules(tx, provider_id=change.provider_id)
            if rules is not None:
                now = await tx.current_time()
                await enqueue_end_of_pause(tx, rules, provider_id=change.provider_id, now=now)

    async def end_pause(self, job: EndPause) -> None:
        """Invalidate what shows the provider as paused; or come back later, where the pause was made longer."""
        provider = await self._providers.get_provider_ref(provider_id=job.provider_id)
        async with self._db.write() as tx:
            rules = await hours_store.find_rules(tx, provider_id=provider.id)
            now = await tx.current_time()
            if rules is not None and is_paused(rules, now=now):
                await enqueue_end_of_pause(tx, rules, provider_id=provider.id, now=now)
            else:
                tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))


async def enqueue_end_of_pause(tx: WriteTx, rules: AvailabilityRules, *, provider_id: UUID, now: datetime) -> None:
    if isinstance(rules.paused_until, date):
        ends_at = start_of_day(rules.paused_until, zone=get_zone(rules.timezone))
        if ends_at > now:
            await tx.enqueue(EndPause(provider_id=provider_id), delay=ends_at - now)


def is_paused(rules: AvailabilityRules, *, now: datetime) -> bool:
    if isinstance(rules.paused_until, date):
        return now.astimezone(get_zone(rules.timezone)).date() < rules.paused_until
    return rules.paused_until is not None


def _check_zone(timezone: str, provider: ProviderRef) -> None:
    if find_zone(timezone) is None:
        raise RulesInvalid(f"Unknown time zone {timezone!r}.", hint="Use an IANA name such as Europe/Oslo.")
    if timezone != provider.timezone:
        raise RulesInvalid(
            f"The hours are in {timezone}, but the provider's time zone is {provider.timezone}.",
            hint=f"Change both with PATCH /api/v1/service-provider-profiles/{provider.id} and timezone.",
        )
