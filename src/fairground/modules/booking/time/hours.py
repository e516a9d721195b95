"""A provider's opening hours: weekly hours and exceptions, what they must be like, and the zone of their wall times."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, time
from itertools import pairwise
from typing import Final
from uuid import UUID

from fairground.contracts.booking.availability import (
    EXCEPTIONS_MAX,
    WEEKLY_HOURS_MAX,
    AvailabilityRules,
    AvailabilityRulesSet,
    DatedException,
    FirstHoursSet,
    RulesInvalid,
    hours_tag,
)
from fairground.contracts.providers import ProviderNotFound, ProviderRef, Providers, ProviderTimezoneSet
from fairground.kernel.zones import find_zone
from fairground.modules.booking.time.store import hours as hours_store
from fairground.platform.db.database import Database

_MIDNIGHT_MINUTE: Final = 24 * 60
_FIRST_VERSION: Final = 1
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Minutes = tuple[int, int]


class ProviderHours:
    def __init__(self, *, db: Database, providers: Providers) -> None:
        self._db = db
        self._providers = providers

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules:
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        async with self._db.read() as tx:
            rules = await hours_store.find_rules(tx, provider_id=provider_id)
        # As `providers` has it: hours of before zones belonged to providers may have another one while they are empty.
        empty = AvailabilityRules(timezone=provider.timezone, weekly=[])
        return rules.model_copy(update={"timezone": provider.timezone}) if rules else empty

    async def set_rules(self, *, owner_id: UUID, provider_id: UUID, rules: AvailabilityRules) -> AvailabilityRules:
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        if provider.owner_id != owner_id:
            raise ProviderNotFound(f"You have no provider {provider_id}.")
        check_rules(rules)
        _check_zone(rules, provider)
        await self._replace(provider, rules)
        return rules

    async def set_first_rules(self, *, rules: Mapping[UUID, AvailabilityRules]) -> None:
        if not rules:
            return
        providers = await self._providers.get_provider_refs(provider_ids=rules.keys())
        for provider_id, hours in rules.items():
            check_rules(hours)
            _check_zone(hours, providers[provider_id])
        async with self._db.write() as tx:
            if not await hours_store.insert_rules(tx, rules, version=_FIRST_VERSION):
                raise RulesInvalid("One of the providers has hours already.")
            for provider in providers.values():
                tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))
            await hours_store.keep_newer_zones(
                tx, {each.id: (each.timezone, each.timezone_version) for each in providers.values()}
            )
            has_hours = {provider_id: bool(hours.weekly) for provider_id, hours in rules.items()}
            await tx.emit(FirstHoursSet(has_hours=has_hours, version=_FIRST_VERSION))

    async def _replace(self, provider: ProviderRef, rules: AvailabilityRules) -> None:
        async with self._db.write() as tx:
            tx.invalidate(hours_tag(provider.id), hours_tag(provider.slug))
            version = await hours_store.lock_version(tx, provider_id=provider.id) + 1
            await hours_store.put_rules(tx, provider_id=provider.id, rules=rules, version=version)
            await hours_store.keep_newer_zone(
                tx, provider_id=provider.id, timezone=provider.timezone, version=provider.timezone_version
            )
            await tx.emit(AvailabilityRulesSet(provider_id=provider.id, has_hours=bool(rules.weekly), version=version))

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        """Let the hours keep their wall times in a new zone. An older change than the kept one is ignored."""
        async with self._db.write() as tx:
            is_newer = await hours_store.keep_newer_zone(
                tx, provider_id=change.provider_id, timezone=change.timezone, version=change.version
            )
            if is_newer:
                tx.invalidate(hours_tag(change.provider_id), hours_tag(change.slug))


def _check_zone(rules: AvailabilityRules, provider: ProviderRef) -> None:
    if rules.timezone != provider.timezone:
        raise RulesInvalid(
            f"The hours are in {rules.timezone}, and the zone of the provider is {provider.timezone}.",
            hint=f"PATCH /api/v1/service-provider-profiles/{provider.id} with timezone changes the zone of both.",
        )


def check_rules(rules: AvailabilityRules) -> None:
    """Raise RulesInvalid for the first thing that is wrong, naming its day."""
    if find_zone(rules.timezone) is None:
        raise RulesInvalid(f"There is no time zone {rules.timezone!r}.", hint="Write an IANA name such as Europe/Oslo.")
    if len(rules.weekly) > WEEKLY_HOURS_MAX:
        raise RulesInvalid(f"{len(rules.weekly)} weekly hours are too many; at most {WEEKLY_HOURS_MAX}.")
    if len(rules.exceptions) > EXCEPTIONS_MAX:
        raise RulesInvalid(f"{len(rules.exceptions)} exceptions are too many; at most {EXCEPTIONS_MAX}.")
    weekly: dict[int, list[Minutes]] = defaultdict(list)
    for hours in rules.weekly:
        if hours.weekday not in range(len(_DAYS)):
            raise RulesInvalid(f"The weekday {hours.weekday} is not one of 0 (Monday) to 6 (Sunday).")
        weekly[hours.weekday].append(_minutes(hours.start, hours.end, day=_DAYS[hours.weekday]))
    for weekday, windows in weekly.items():
        _check_apart(windows, day=_DAYS[weekday])
    _check_exceptions(rules.exceptions)


def _check_exceptions(exceptions: Iterable[DatedException]) -> None:
    by_date: dict[date, list[DatedException]] = defaultdict(list)
    for exception in exceptions:
        by_date[exception.date].append(exception)
    for day, those in by_date.items():
        _check_day(those, day=day.isoformat())


def _check_day(exceptions: list[DatedException], *, day: str) -> None:
    for exception in exceptions:
        if (exception.start is None) != (exception.end is None):
            raise RulesInvalid(f"An exception on {day} has only one of start and end.")
        if exception.available and exception.start is None:
            raise RulesInvalid(f"An exception on {day} is available without saying when.")
        if exception.start is None and len(exceptions) > 1:
            raise RulesInvalid(f"{day} is closed all day and has other exceptions besides.")
    for is_available in (True, False):
        windows = [
            _minutes(exception.start, exception.end, day=day)
            for exception in exceptions
            if exception.available is is_available and exception.start is not None and exception.end is not None
        ]
        _check_apart(windows, day=day)


def _minutes(start: time, end: time, *, day: str) -> Minutes:
    """Return the minutes of the day between which it is open; the end 00:00 is the midnight that ends the day."""
    for clock in (start, end):
        if clock.tzinfo is not None or clock.second or clock.microsecond:
            raise RulesInvalid(f"{clock} on {day} is not a wall time in whole minutes, such as 09:30.")
    since = start.hour * 60 + start.minute
    until = end.hour * 60 + end.minute or _MIDNIGHT_MINUTE
    if since >= until:
        raise RulesInvalid(
            f"The hours {start:%H:%M} to {end:%H:%M} on {day} are empty or cross midnight.",
            hint="Write hours that cross midnight as two: until 00:00, and from 00:00 on the next day.",
        )
    return since, until


def _check_apart(windows: list[Minutes], *, day: str) -> None:
    for (_, earlier_end), (later_start, _) in pairwise(sorted(windows)):
        if later_start < earlier_end:
            raise RulesInvalid(f"Two windows on {day} overlap.", hint="Make one of them.")
