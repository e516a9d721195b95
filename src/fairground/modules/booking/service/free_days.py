"""Telling others on which days a provider can be booked."""

from datetime import datetime, timedelta
from uuid import UUID

from fairground.contracts.booking import AvailabilityRules, FreeDaysSet
from fairground.contracts.providers import ProviderRef
from fairground.modules.booking.domain.free_days import Offer, unusual_days, usual_week
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.store import allocations, rules
from fairground.platform.db.database import WriteTx
from fairground.verticals.schema import Vertical


class _Overtaken(Exception):
    """Somebody has told of the provider while we asked the catalog."""


class FreeDaysDesk(Desk):
    async def tell_free_days(self, *, provider_id: UUID) -> None:
        """Tell all that is known by now. Nothing is told of a provider who has never set hours."""
        while True:
            async with self._db.read() as tx:
                told = await rules.find_told_version(tx, provider_id=provider_id)
            if told is None:
                return
            provider = await self._catalog.get_provider_ref(provider_id=provider_id)
            services = await self._catalog.list_services(provider_id=provider_id, viewer_id=provider.owner_id)
            # Where any service can start, the shortest one can.
            minutes = min((service.duration_minutes for service in services), default=None)
            try:
                await self._tell(provider, told=told, shortest_minutes=minutes)
            except _Overtaken:
                continue
            return

    async def _tell(self, provider: ProviderRef, *, told: int, shortest_minutes: int | None) -> None:
        async with self._db.write(ends_job=True) as tx:
            # What the catalog said may be older than what was told meanwhile.
            if await rules.lock_told_version(tx, provider_id=provider.id) != told:
                raise _Overtaken
            hours = await rules.find_rules(tx, provider_id=provider.id)
            pack = self._verticals.find(provider.vertical)
            if hours is None or pack is None:
                return
            version = told + 1
            event = FreeDaysSet(
                provider_id=provider.id, version=version, timezone=hours.timezone, week=[None] * 7, days={}
            )
            if shortest_minutes is not None:
                event = await _with_days(tx, event, hours, pack, duration=timedelta(minutes=shortest_minutes))
            await rules.set_told_version(tx, provider_id=provider.id, version=version)
            await tx.emit(event)


async def _with_days(
    tx: WriteTx, event: FreeDaysSet, hours: AvailabilityRules, pack: Vertical, *, duration: timedelta
) -> FreeDaysSet:
    now: datetime = await tx.current_time()
    horizon_days = pack.booking.horizon_days
    busy = await allocations.list_busy(
        tx,
        provider_id=event.provider_id,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=horizon_days + 2),
    )
    offer = Offer(rules=hours, duration=duration, step=timedelta(minutes=pack.booking.slot_minutes))
    week = usual_week(offer)
    days = unusual_days(offer, week=week, busy=busy, now=now, horizon_days=horizon_days)
    return event.model_copy(update={"week": week, "days": days})
