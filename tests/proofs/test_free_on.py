"""A list with `when` equals the providers with free times on that day, for any bookings and any order of events."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import AvailabilityRules, AvailabilitySummarySet, DatedException, TimeOff, WeeklyHours
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.payments import Payments
from fairground.contracts.providers import BookingMode, OwnProvider, ProfileChanges, ProvidersChanged, ProviderSchedules
from fairground.kernel.errors import DomainError
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Event
from fairground.modules.booking.module import handlers_of
from fairground.modules.booking.service import BookingService, Parts, assemble
from fairground.modules.booking.settings import BookingSettings
from fairground.platform.db.database import Database
from fairground.platform.module import Links
from fairground.verticals.loader import load_verticals
from tests.doubles.payments import FakePayments
from tests.support.addresses import HOME
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose
from tests.support.providers import Desk, People, owner_of

ZONES = ("Europe/Oslo", "America/New_York", "Pacific/Auckland")
ENDS = (14, 15, 17, 20, 0, 2, 5)  # the last two on the next day
KINDS = (("artists", "dj"), ("tutors", "mathematics"))


class SystemTime:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Town:
    """The catalog and booking on one database, telling each other what happened when they are asked to."""

    catalog: Directory
    parts: Parts
    desk: Desk
    outbox: RecordingOutbox
    chance: random.Random

    @property
    def booking(self) -> BookingService:
        return self.parts.service

    async def deliver(self) -> None:
        """Deliver all events, some of them twice and none in order, until none is left."""
        takers: dict[type[Event], Callable[[Any], Awaitable[None]]] = {
            **handlers_of(self.parts),  # type: ignore[dict-item]
            ProvidersChanged: self.catalog.read_model.on_providers_changed,
            AvailabilitySummarySet: self.catalog.read_model.on_availability_summary_set,
        }
        while self.outbox.events:
            events, self.outbox.events = self.outbox.events, []
            self.outbox.followed = 0
            events += self.chance.sample(events, k=len(events) // 3)
            for event in self.chance.sample(events, k=len(events)):
                if take := takers.get(type(event)):
                    await take(event)

    async def provider(self, number: int) -> OwnProvider:
        vertical, category = KINDS[number % len(KINDS)]
        zone = self.chance.choice(ZONES)
        provider = await self.desk.approved(vertical=vertical, categories=[category], timezone=zone, lat=None, lng=None)
        weekly = [
            WeeklyHours(weekday=day, start=time(self.chance.randint(7, 12)), end=time(self.chance.choice(ENDS)))
            for day in self.chance.sample(range(7), k=4)
        ]
        await self.set_hours(provider, weekly)
        for _ in range(self.chance.randint(0, 2)):
            await self.offer(provider)
        return provider

    async def set_hours(self, provider: OwnProvider, weekly: list[WeeklyHours], *closed: date) -> None:
        exceptions = [DatedException(date=day, available=False) for day in set(closed)]
        timezone = (await self.catalog.get_provider_ref(provider_id=provider.id)).timezone
        rules = AvailabilityRules(
            timezone=timezone,
            weekly=weekly,
            exceptions=exceptions,
            time_off=self._time_off(),
            min_notice_hours=self.chance.choice((None, None, 0, 1, 30, 49, 200)),
            paused_until=self.chance.choice((*[None] * 7, "reopened", datetime.now(UTC).date() + timedelta(days=9))),
        )
        await self.booking.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=rules)

    def _time_off(self) -> list[TimeOff]:
        first = datetime.now(UTC).date() + timedelta(days=self.chance.randint(1, 5))
        off = TimeOff(from_date=first, to_date=first + timedelta(days=self.chance.choice((0, 3, 40, 89))))
        return [off] if self.chance.random() < 0.3 else []

    async def offer(self, provider: OwnProvider) -> UUID:
        minutes = self.chance.choice((60, 120, 240))
        mode = BookingMode.INSTANT if provider.vertical == "tutors" else BookingMode.REQUEST
        category = provider.service_categories[0]
        return await self.desk.offer(provider, category=category, duration_minutes=minutes, booking_mode=mode)


@pytest.fixture
def town(db: Database, outbox: RecordingOutbox) -> Town:
    people, verticals, links = People(), load_verticals(), Links()
    catalog = Directory(
        db=db,
        people=people,
        verticals=verticals,
        clock=SystemTime(),
        schedules=lambda: links.of(ProviderSchedules),
    )
    parts = assemble(
        db=db,
        providers=catalog,
        payments=cast("Payments", FakePayments()),
        verticals=verticals,
        settings=BookingSettings(),
        public_url="https://fair.example",
        accounts=cast("Accounts", people),
        organizer="Fair <hello@fair.example>",
    )
    links.provide(ProviderSchedules, parts.schedules)
    return Town(catalog, parts, Desk(catalog, people), outbox, random.Random(17))


async def _have_starts(town: Town, providers: list[OwnProvider], day: date) -> set[UUID]:
    slots = {
        each.id: await town.booking.list_slots(provider_id=each.id, from_date=day, to_date=day, service_id=None)
        for each in providers
    }
    return {provider_id for provider_id, found in slots.items() if found.slots}


async def _shown(town: Town, day: date) -> set[UUID]:
    found = await town.catalog.search_providers(query=ProviderQuery(when=day, limit=100))
    assert found.total == len(found.data)
    return {card.id for card in found.data}


async def test_list_of_a_day_shows_the_providers_with_a_start_on_it(town: Town, dose: Dose) -> None:
    providers = [await town.provider(number) for number in range(dose(small=8, full=40))]
    await town.deliver()
    booked: list[tuple[UUID, UUID]] = []
    for _ in range(dose(small=3, full=20)):
        for provider in town.chance.sample(providers, k=4):
            await _change(town, provider, booked)
        await town.deliver()
        today = datetime.now(UTC).date()
        for day in [today + timedelta(days=number) for number in (-1, 0, 1, 2, 3, 4, 8, 40, 89, 90, 91, 364, 366)]:
            await _compare(town, providers, day)


async def _compare(town: Town, providers: list[OwnProvider], day: date) -> None:
    while True:
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        shown, expected = await _shown(town, day), await _have_starts(town, providers, day)
        if datetime.now(UTC).replace(second=0, microsecond=0) == minute:  # else a start may have passed in between
            break
    assert shown == expected, day


async def _change(town: Town, provider: OwnProvider, booked: list[tuple[UUID, UUID]]) -> None:
    """Book, cancel, offer or withdraw something, close a day, or change the zone."""
    today = datetime.now(UTC).date()
    day = today + timedelta(days=town.chance.randint(1, 9))
    services = await town.catalog.list_services(provider_id=provider.id, viewer_id=None)
    match town.chance.randint(0, 5):
        case 0:
            await town.offer(provider)
        case 1 if services:
            await town.catalog.withdraw_service(owner_id=owner_of(provider), service_id=services[0].id)
        case 2 if booked:
            customer_id, booking_id = booked.pop()
            await town.booking.cancel(user_id=customer_id, booking_id=booking_id)
        case 3:
            rules = await town.booking.get_rules(provider_id=provider.id)
            await town.set_hours(provider, rules.weekly, day, *(each.date for each in rules.exceptions))
        case 4:
            changes = ProfileChanges(timezone=town.chance.choice(ZONES))
            await town.catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
        case _ if services:
            await _book_out(town, provider, services[0].id, day, booked)


async def _book_out(town: Town, provider: OwnProvider, service_id: UUID, day: date, booked: list[Any]) -> None:
    """Hold every start of a day."""
    found = await town.booking.list_slots(provider_id=provider.id, from_date=day, to_date=day, service_id=service_id)
    for slot in found.slots:
        customer_id = town.desk.people.add(Role.CUSTOMER)
        try:
            held = await town.booking.hold(
                customer_id=customer_id,
                service_id=service_id,
                starts_at=slot.starts_at,
                place="customer",
                address=HOME,
            )
        except DomainError:
            continue  # the one before it overlaps
        booked.append((customer_id, held.id))


async def test_late_and_repeated_events_change_nothing(town: Town) -> None:
    provider = await town.provider(1)
    week: list[time | None] = [time(10)] * 7
    day = datetime.now(UTC).date() + timedelta(days=30)

    def days_set(version: int, **changes: Any) -> AvailabilitySummarySet:
        usual: dict[str, Any] = {
            "provider_id": provider.id,
            "version": version,
            "timezone": "UTC",
            "week": week,
            "days": {},
        }
        return AvailabilitySummarySet(**(usual | changes))

    for event in (
        days_set(1001),
        days_set(1003, days={day: None}),
        days_set(1002),
        days_set(1003, days={day: None}),
        days_set(999),
    ):
        await town.catalog.record_free_days(event)
    assert await _shown(town, day) == set()
    assert await _shown(town, day + timedelta(days=1)) == {provider.id}
    # A date that is open although its weekday is not, and the same date once it is closed again.
    shut: list[time | None] = [None] * 7
    await town.catalog.record_free_days(days_set(1004, week=shut, days={day: time(10)}))
    assert (await _shown(town, day), await _shown(town, day + timedelta(days=7))) == ({provider.id}, set())
    await town.catalog.record_free_days(days_set(1005, week=shut))
    assert await _shown(town, day) == set()
    unknown = days_set(1).model_copy(update={"provider_id": uuid7()})
    await town.catalog.record_free_days(unknown)
