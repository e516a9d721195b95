"""The free starts of a provider: lists of them, and whether one of them can be had."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from fairground.contracts.booking.availability import SLOT_LIST_MAX_DAYS, Availability
from fairground.contracts.booking.errors import DetailsInvalid
from fairground.contracts.providers import ProviderNotFound, Providers, ProviderStatus, ServiceNotFound
from fairground.modules.booking.time import store
from fairground.modules.booking.time.domain.slots import is_offered, list_offered, without_busy
from fairground.platform.db.database import Database, ReadTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import BookingRules


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """A start that the rules offer, which may be taken."""

    timezone: str
    is_taken: bool


async def find_opening(
    tx: ReadTx, *, provider_id: UUID, starts_at: datetime, duration: timedelta, booking: BookingRules
) -> Opening | None:
    """Return the start, or None when the provider's rules do not offer it.

    Only refuses what plainly cannot be had: the claim decides on a time that is free here.
    """
    schedule = await store.find_schedule(tx, provider_id=provider_id, starts_at=starts_at, ends_at=starts_at + duration)
    if schedule is None:
        return None
    if not is_offered(schedule.rules, starts_at=starts_at, duration=duration, booking=booking, now=schedule.now):
        return None
    return Opening(timezone=schedule.rules.timezone, is_taken=schedule.is_taken)


class Slots:
    def __init__(self, *, db: Database, catalog: Providers, verticals: Verticals) -> None:
        self._db = db
        self._catalog = catalog
        self._verticals = verticals

    async def list_slots(
        self, *, provider_id: UUID, from_date: date, to_date: date, service_id: UUID | None
    ) -> Availability:
        if not timedelta(0) <= to_date - from_date < timedelta(days=SLOT_LIST_MAX_DAYS):
            raise DetailsInvalid(
                f"{from_date} to {to_date} is not a span of 1 to {SLOT_LIST_MAX_DAYS} days.",
                hint="Give both dates, the earlier one first.",
            )
        provider = await self._catalog.get_provider_ref(provider_id=provider_id)
        if provider.status is not ProviderStatus.APPROVED:
            raise ProviderNotFound(f"There is no provider {provider_id}.")
        pack = self._verticals.find(provider.vertical)
        duration = await self._duration(provider_id=provider_id, service_id=service_id)
        async with self._db.read() as tx:
            rules = await store.find_rules(tx, provider_id=provider_id)
            if rules is None or duration is None:
                return Availability(timezone=provider.timezone, slots=[])
            now = await tx.current_time()
            offered = (
                list_offered(
                    rules, from_date=from_date, to_date=to_date, duration=duration, booking=pack.booking, now=now
                )
                if pack
                else []
            )
            if not offered:
                return Availability(timezone=rules.timezone, slots=[])
            busy = await store.list_busy(
                tx, provider_id=provider_id, starts_at=offered[0].starts_at, ends_at=offered[-1].ends_at
            )
        return Availability(timezone=rules.timezone, slots=without_busy(offered, busy))

    async def _duration(self, *, provider_id: UUID, service_id: UUID | None) -> timedelta | None:
        """Return the length of the slots, or None where there is nothing to book."""
        if service_id is None:
            services = await self._catalog.list_services(provider_id=provider_id, viewer_id=None)
            minutes = [service.duration_minutes for service in services]
            return timedelta(minutes=min(minutes)) if minutes else None
        offer = await self._catalog.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"The provider {provider_id} has no service {service_id}.")
        return timedelta(minutes=offer.duration_minutes) if offer.is_bookable else None
