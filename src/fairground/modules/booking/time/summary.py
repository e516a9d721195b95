"""Publishing on which days a provider can be booked."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from fairground.contracts.booking.availability import AvailabilityRules, AvailabilitySummarySet
from fairground.contracts.providers import ProviderRef, Providers, ProviderTimezoneSet
from fairground.modules.booking.time import store
from fairground.modules.booking.time.domain.summary import OfferedStarts, exceptional_days, weekly_pattern
from fairground.modules.booking.time.rules import Rules
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical


class ProviderEvent(Protocol):
    """An event after which the summary of its provider may be another one."""

    @property
    def provider_id(self) -> UUID: ...


class _Overtaken(Exception):
    """Another task has published a summary of the provider while this one asked the catalog."""


class AvailabilitySummaries:
    def __init__(self, *, db: Database, catalog: Providers, verticals: Verticals, rules: Rules) -> None:
        self._db = db
        self._catalog = catalog
        self._verticals = verticals
        self._rules = rules

    async def follow_change(self, event: ProviderEvent) -> None:
        await self.publish(provider_id=event.provider_id)

    async def follow_timezone(self, event: ProviderTimezoneSet) -> None:
        await self._rules.follow_timezone(event)
        await self.publish(provider_id=event.provider_id)

    async def publish(self, *, provider_id: UUID) -> None:
        """Publish the present summary. A provider who has never set hours has none."""
        while True:
            async with self._db.read() as tx:
                version = await store.find_published_version(tx, provider_id=provider_id)
            if version is None:
                return
            provider = await self._catalog.get_provider_ref(provider_id=provider_id)
            services = await self._catalog.list_services(provider_id=provider_id, viewer_id=provider.owner_id)
            # Where any service can start, the shortest one can.
            minutes = min((service.duration_minutes for service in services), default=None)
            try:
                await self._publish(provider, published_version=version, shortest_minutes=minutes)
            except _Overtaken:
                continue
            return

    async def _publish(self, provider: ProviderRef, *, published_version: int, shortest_minutes: int | None) -> None:
        async with self._db.write(ends_job=True) as tx:
            # What the catalog answered may be older than a summary that was published meanwhile.
            if await store.lock_published_version(tx, provider_id=provider.id) != published_version:
                raise _Overtaken
            rules = await store.find_rules(tx, provider_id=provider.id)
            pack = self._verticals.find(provider.vertical)
            if rules is None or pack is None:
                return
            version = published_version + 1
            event = AvailabilitySummarySet(
                provider_id=provider.id, version=version, timezone=rules.timezone, week=[None] * 7, days={}
            )
            if shortest_minutes is not None:
                event = await _with_days(tx, event, rules, pack, duration=timedelta(minutes=shortest_minutes))
            await store.set_published_version(tx, provider_id=provider.id, version=version)
            await tx.emit(event)


async def _with_days(
    tx: WriteTx, event: AvailabilitySummarySet, rules: AvailabilityRules, pack: Vertical, *, duration: timedelta
) -> AvailabilitySummarySet:
    now = await tx.current_time()
    horizon_days = pack.booking.horizon_days
    busy = await store.list_busy(
        tx,
        provider_id=event.provider_id,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=horizon_days + 2),
    )
    starts = OfferedStarts(rules=rules, duration=duration, step=timedelta(minutes=pack.booking.slot_minutes))
    pattern = weekly_pattern(starts)
    days = exceptional_days(starts, pattern=pattern, busy=busy, now=now, horizon_days=horizon_days)
    return event.model_copy(update={"week": pattern, "days": days})
