"""The availability summary of a provider: a weekly pattern, the dates that differ from it, and their publication."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from uuid import UUID

from fairground.contracts.booking.availability import AvailabilityRules, AvailabilitySummarySet, FirstHoursSet, Slot
from fairground.contracts.providers import ProviderRef, Providers, ProviderTimezoneSet
from fairground.kernel.zones import get_zone
from fairground.modules.booking.time.hours import EndPause, ProviderHours, is_paused
from fairground.modules.booking.time.slots import Interval, list_starts, without_busy
from fairground.modules.booking.time.store import allocations as store
from fairground.modules.booking.time.store import hours as hours_store
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

_DAY: Final = timedelta(days=1)
_A_MONDAY: Final = date(2024, 1, 1)
_REACH: Final = 2 * _DAY  # the days after a date on which starts may depend on its hours
_AHEAD: Final = timedelta(days=366)


class ProviderEvent(Protocol):
    """An event after which the summary of its provider may be another one."""

    @property
    def provider_id(self) -> UUID: ...


class _Overtaken(Exception):
    """Another task has published a summary of the provider since this one read its version."""


class AvailabilitySummaries:
    def __init__(self, *, db: Database, providers: Providers, verticals: Verticals, hours: ProviderHours) -> None:
        self._db = db
        self._providers = providers
        self._verticals = verticals
        self._hours = hours

    async def follow_change(self, event: ProviderEvent) -> None:
        await self.publish(provider_id=event.provider_id)

    async def follow_first_hours(self, event: FirstHoursSet) -> None:
        *others, last = event.has_hours
        for provider_id in others:
            await self.publish(provider_id=provider_id, ends_job=False)
        await self.publish(provider_id=last)

    async def follow_timezone(self, event: ProviderTimezoneSet) -> None:
        await self._hours.follow_timezone(event)
        await self.publish(provider_id=event.provider_id)

    async def follow_end_of_pause(self, job: EndPause) -> None:
        await self._hours.end_pause(job)
        await self.publish(provider_id=job.provider_id)

    async def publish(self, *, provider_id: UUID, ends_job: bool = True) -> None:
        """Publish the present summary. A provider who has never set hours has none.

        Args:
            ends_job: As of `Database.write`.
        """
        while True:
            async with self._db.read() as tx:
                version = await hours_store.find_published_version(tx, provider_id=provider_id)
            if version is None:
                return
            provider = await self._providers.get_provider_ref(provider_id=provider_id)
            services = await self._providers.list_services(provider_id=provider_id, viewer_id=provider.owner_id)
            # Where any service can start, the shortest one can.
            minutes = min((service.duration_minutes for service in services if not service.is_paused), default=None)
            try:
                await self._publish(provider, published_version=version, shortest_minutes=minutes, ends_job=ends_job)
            except _Overtaken:
                continue
            return

    async def _publish(
        self, provider: ProviderRef, *, published_version: int, shortest_minutes: int | None, ends_job: bool
    ) -> None:
        async with self._db.write(ends_job=ends_job) as tx:
            # What `providers` answered may be older than a summary that was published meanwhile.
            if await hours_store.lock_published_version(tx, provider_id=provider.id) != published_version:
                raise _Overtaken
            rules = await hours_store.find_rules(tx, provider_id=provider.id)
            pack = self._verticals.find(provider.vertical)
            if rules is None or pack is None:
                return
            version = published_version + 1
            event = AvailabilitySummarySet(
                provider_id=provider.id,
                version=version,
                timezone=rules.timezone,
                week=[None] * 7,
                days={},
                min_notice_hours=rules.min_notice_hours,
            )
            if shortest_minutes is not None and not is_paused(rules, now=await tx.current_time()):
                event = await _with_days(tx, event, rules, pack, duration=timedelta(minutes=shortest_minutes))
            await hours_store.set_published_version(tx, provider_id=provider.id, version=version)
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


@dataclass(frozen=True, kw_only=True)
class OfferedStarts:
    """The starts of the provider's shortest service, which are those of any service."""

    rules: AvailabilityRules
    duration: timedelta
    step: timedelta

    def last_start(self, day: date, *, busy: Sequence[Interval] = ()) -> time | None:
        """Return the last free start of a date, on the clock of the zone."""
        instants = list_starts(self.rules, from_date=day, to_date=day, duration=self.duration, step=self.step)
        slots = [Slot(starts_at=start, ends_at=start + self.duration) for start in instants]
        free = without_busy(slots, busy)
        return free[-1].starts_at.astimezone(get_zone(self.rules.timezone)).time() if free else None


def weekly_pattern(starts: OfferedStarts) -> list[time | None]:
    """Return the last start of each weekday from Monday on, by the weekly hours alone."""
    # In UTC, where no day is longer or shorter than another.
    weekly = starts.rules.model_copy(update={"timezone": "UTC", "exceptions": [], "time_off": []})
    usual = OfferedStarts(rules=weekly, duration=starts.duration, step=starts.step)
    return [usual.last_start(_A_MONDAY + number * _DAY) for number in range(7)]


def exceptional_days(
    starts: OfferedStarts, *, pattern: Sequence[time | None], busy: Sequence[Interval], now: datetime, horizon_days: int
) -> dict[date, time | None]:
    """Return the last start of those dates from today on that differ from the weekly pattern.

    Args:
        busy: The taken times from yesterday on, in order.
    """
    zone = get_zone(starts.rules.timezone)
    today = now.astimezone(zone).date()
    # The days that come into the horizon until something else changes the summary.
    first, last = today - _REACH, today + timedelta(days=horizon_days) + _AHEAD
    off = set(_days_off(starts.rules, first=first, last=last))
    candidates = {
        *_around(exception.date for exception in starts.rules.exceptions if first <= exception.date <= last),
        *_around(off),
        *(day for taken in busy for day in _touched(taken, starts)),
        *_around(_days_of_another_length(starts.rules, first=today, days=horizon_days)),
    }
    found: dict[date, time | None] = {day: starts.last_start(day, busy=busy) for day in sorted(candidates - off)}
    found |= dict.fromkeys(off)
    return {day: last for day, last in sorted(found.items()) if day >= today and last != pattern[day.weekday()]}


def _around(days: Iterable[date]) -> Iterator[date]:
    """Yield the dates and those whose starts depend on their hours, which may last into the next day.

    The day after that is the last one: an hour that occurs twice can join the hours of two days.
    """
    for day in days:
        yield from (day + number * _DAY for number in range(-1, _REACH.days + 1))


def _days_off(rules: AvailabilityRules, *, first: date, last: date) -> Iterator[date]:
    for each in rules.time_off:
        start, end = max(each.from_date, first), min(each.to_date, last)
        yield from (start + number * _DAY for number in range((end - start).days + 1))


def _touched(taken: Interval, starts: OfferedStarts) -> Iterator[date]:
    """Yield the dates on which something starts that would overlap."""
    zone = get_zone(starts.rules.timezone)
    day, last = ((moment).astimezone(zone).date() for moment in (taken[0] - starts.duration, taken[1]))
    while day <= last:
        yield day
        day += _DAY


def _days_of_another_length(rules: AvailabilityRules, *, first: date, days: int) -> Iterator[date]:
    zone = get_zone(rules.timezone)
    midnights = [datetime.combine(first + number * _DAY, time(), tzinfo=zone) for number in range(days + 2)]
    instants = [midnight.astimezone(UTC) for midnight in midnights]
    for midnight, start, end in zip(midnights, instants, instants[1:], strict=False):
        if end - start != _DAY:
            yield midnight.date()
