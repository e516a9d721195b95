"""Slots: the starts that a provider's hours offer, those that are free, and whether a start can be held.

Hours become instants at their edges, and are stepped through in elapsed time. Stepping through wall-clock times instead
gives wrong lengths and times that do not exist on nearly every day on which a zone changes its offset (ADR 24).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from uuid import UUID

from fairground.contracts.booking import DetailsInvalid
from fairground.contracts.booking.availability import (
    SLOT_LIST_MAX_DAYS,
    Availability,
    AvailabilityRules,
    Slot,
)
from fairground.contracts.booking.terms import check_length
from fairground.contracts.providers import ProviderNotFound, Providers, ProviderStatus, ServiceNotFound
from fairground.kernel.zones import first_instant, get_zone, last_instant, start_of_day
from fairground.modules.booking.time.hours import is_paused
from fairground.modules.booking.time.store import allocations as store
from fairground.modules.booking.time.store import hours as hours_store
from fairground.platform.db.database import Database, ReadTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import BookingRules

Interval = tuple[datetime, datetime]

_DAY: Final = timedelta(days=1)
# A window of the day before can last until the end of a day. Where an hour is repeated it may overlap that of the day
# before it and continue its grid, which in turn may begin where hours are closed on a third day. A slot can run on into
# a window of the next days.
_DAYS_BEFORE: Final = 3
_DAYS_AFTER: Final = 2


class Slots:
    def __init__(self, *, db: Database, providers: Providers, verticals: Verticals) -> None:
        self._db = db
        self._providers = providers
        self._verticals = verticals

    async def list_slots(
        self,
        *,
        provider_id: UUID,
        from_date: date,
        to_date: date,
        service_id: UUID | None,
        duration_minutes: int | None = None,
        viewer_id: UUID | None = None,
    ) -> Availability:
        _check_span(from_date, to_date)
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        own_id = viewer_id if viewer_id == provider.owner_id else None
        if provider.status is not ProviderStatus.APPROVED and own_id is None:
            raise ProviderNotFound(f"There is no provider {provider_id}.")
        pack = self._verticals.find(provider.vertical)
        duration = await self._duration(
            provider_id=provider_id, service_id=service_id, viewer_id=own_id, minutes=duration_minutes
        )
        async with self._db.read() as tx:
            rules = await hours_store.find_rules(tx, provider_id=provider_id)
            if rules is None or duration is None:
                return Availability(timezone=provider.timezone, slots=[])
            now = await tx.current_time()
            if is_paused(rules, now=now):
                until = rules.paused_until if isinstance(rules.paused_until, date) else None
                return Availability(timezone=rules.timezone, slots=[], is_paused=True, paused_until=until)
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

    async def _duration(
        self, *, provider_id: UUID, service_id: UUID | None, viewer_id: UUID | None, minutes: int | None
    ) -> timedelta | None:
        """Return the length of the slots, or None where there is nothing to book."""
        if service_id is None or viewer_id is not None:
            services = await self._providers.list_services(provider_id=provider_id, viewer_id=viewer_id)
            of_service = [each for each in services if service_id in (None, each.id)]
            shortest = min(of_service, key=lambda service: service.duration_minutes, default=None)
            return None if shortest is None else timedelta(minutes=check_length(shortest, minutes))
        offer = await self._providers.get_offer(service_id=service_id)
        if offer.provider_id != provider_id:
            raise ServiceNotFound(f"The provider {provider_id} has no service {service_id}.")
        length = check_length(offer, minutes)
        return timedelta(minutes=length) if offer.is_bookable else None


def _check_span(from_date: date, to_date: date) -> None:
    if not timedelta(0) <= to_date - from_date < timedelta(days=SLOT_LIST_MAX_DAYS):
        raise DetailsInvalid(
            f"{from_date} to {to_date} is not a span of 1 to {SLOT_LIST_MAX_DAYS} days.",
            hint="Give both dates, the earlier one first.",
        )


async def find_offered(
    tx: ReadTx, *, provider_id: UUID, starts_at: datetime, duration: timedelta, booking: BookingRules
) -> store.Schedule | None:
    """Return the provider's schedule at a start, or None when the hours do not offer the start.

    A schedule only refuses a time that is plainly taken. If the time is free in it, the claim decides.
    """
    schedule = await store.find_schedule(tx, provider_id=provider_id, starts_at=starts_at, ends_at=starts_at + duration)
    if schedule is None:
        return None
    is_in_hours = is_offered(schedule.rules, starts_at=starts_at, duration=duration, booking=booking, now=schedule.now)
    return schedule if is_in_hours else None


def list_offered(
    rules: AvailabilityRules,
    *,
    from_date: date,
    to_date: date,
    duration: timedelta,
    booking: BookingRules,
    now: datetime,
) -> list[Slot]:
    """Return the starts that the rules alone offer on the provider-local dates, both included, in order."""
    if is_paused(rules, now=now):
        return []
    zone = get_zone(rules.timezone)
    own_notice = rules.min_notice_hours
    earliest = now + timedelta(hours=booking.min_notice_hours if own_notice is None else own_notice)
    last_date = min(to_date, now.astimezone(zone).date() + timedelta(days=booking.horizon_days))
    first_date = max(from_date, earliest.astimezone(zone).date())
    if first_date > last_date:
        return []
    starts = list_starts(
        rules,
        from_date=first_date,
        to_date=last_date,
        duration=duration,
        step=timedelta(minutes=booking.slot_minutes),
    )
    return [Slot(starts_at=start, ends_at=start + duration) for start in starts if start >= earliest]


def list_starts(
    rules: AvailabilityRules, *, from_date: date, to_date: date, duration: timedelta, step: timedelta
) -> list[datetime]:
    """Return the starts of the provider-local dates, both included, in order, including those too soon to book."""
    zone = get_zone(rules.timezone)
    windows = open_windows(rules, zone=zone, days=_days(from_date - _DAYS_BEFORE * _DAY, to_date + _DAYS_AFTER * _DAY))
    starts = _starts(windows, duration=duration, step=step)
    return [start for start in starts if from_date <= start.astimezone(zone).date() <= to_date]


def is_offered(
    rules: AvailabilityRules, *, starts_at: datetime, duration: timedelta, booking: BookingRules, now: datetime
) -> bool:
    """Return whether the rules alone offer this start. It may still be taken."""
    if not now <= starts_at <= now + timedelta(days=booking.horizon_days + 1):
        return False
    day = starts_at.astimezone(get_zone(rules.timezone)).date()
    slots = list_offered(rules, from_date=day, to_date=day, duration=duration, booking=booking, now=now)
    return any(slot.starts_at == starts_at for slot in slots)


def without_busy(slots: Iterable[Slot], busy: Sequence[Interval]) -> list[Slot]:
    """Return the slots that no busy interval overlaps. Both are in order, and the busy ones are disjoint."""
    free, passed = [], 0
    for slot in slots:
        while passed < len(busy) and busy[passed][1] <= slot.starts_at:
            passed += 1
        if passed == len(busy) or busy[passed][0] >= slot.ends_at:
            free.append(slot)
    return free


def open_windows(rules: AvailabilityRules, *, zone: tzinfo, days: Iterable[date]) -> list[Interval]:
    """Return the open times that start on some days, in order. They are disjoint, but may touch."""
    opened: list[Interval] = []
    closed: list[Interval] = []
    for day in days:
        if rules.is_closed_on(day):
            # Hours of the day before that cross midnight end with it.
            closed.append((start_of_day(day, zone=zone), start_of_day(day + _DAY, zone=zone)))
        else:
            opened += [_interval(day, start, end, zone=zone) for start, end in rules.hours_on(day)]
            closed += [_interval(day, start, end, zone=zone) for start, end in rules.breaks_on(day)]
    return _subtract(_merge_overlapping(opened), _merge_overlapping(closed))


def _interval(day: date, start: time, end: time, *, zone: tzinfo) -> Interval:
    end_day = day if end > start else day + _DAY
    return (
        first_instant(datetime.combine(day, start), zone=zone),
        last_instant(datetime.combine(end_day, end), zone=zone),
    )


def _merge_overlapping(intervals: Iterable[Interval]) -> list[Interval]:
    """Return disjoint intervals in order. Those that only touch stay separate, because each starts its own grid."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _subtract(opened: Sequence[Interval], closed: Sequence[Interval]) -> list[Interval]:
    left: list[Interval] = []
    for start, end in opened:
        rest = start
        for closed_from, closed_until in closed:
            if rest < closed_until and closed_from < end:
                left.append((rest, closed_from))
                rest = closed_until
        left.append((rest, end))
    return [(start, end) for start, end in left if start < end]


def _starts(windows: Sequence[Interval], *, duration: timedelta, step: timedelta) -> Iterator[datetime]:
    """Step through each window from its own start; a slot may run on into windows that touch."""
    for (start, end), open_until in zip(windows, _open_until(windows), strict=True):
        moment = start
        while moment < end and moment + duration <= open_until:
            yield moment
            moment += step


def _open_until(windows: Sequence[Interval]) -> list[datetime]:
    """Return, for each window, the end of the last one that can be reached from it without a break."""
    ends: list[datetime] = []
    next_start = datetime.max.replace(tzinfo=UTC)
    for start, end in reversed(windows):
        ends.append(ends[-1] if ends and end == next_start else end)
        next_start = start
    return ends[::-1]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
