"""A small market in a real installation: a provider who is always open, services, and customers with tokens."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import httpx

from fairground.contracts.accounts import Accounts, Role, User
from fairground.contracts.booking import AvailabilityRules, Bookings, WeeklyHours
from fairground.contracts.providers import BookingMode, ProfileIn, Providers, ServiceIn
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from tests.support.lists import fill_lists
from tests.support.servers import Installation

GOOD_CARD: Final = "pm_card_visa"
_PASSWORD: Final = "a horse on the merry-go-round"
_ALWAYS: Final = [WeeklyHours(weekday=day, start=time(0), end=time(0)) for day in range(7)]


@dataclass(frozen=True)
class Market:
    provider_id: UUID
    provider_token: str
    admin_token: str
    services: dict[tuple[BookingMode, int], UUID]
    """By mode and minutes."""
    customer_tokens: list[str]


def compose_for(installation: Installation, *, is_secondary: bool) -> Program:
    """Put the program together inside this process."""
    settings = Settings(database_url=installation.database_url, data_dir=installation.data_dir)
    return compose(settings, is_secondary=is_secondary)


@contextlib.asynccontextmanager
async def visiting(installation: Installation) -> AsyncIterator[Program]:
    """Give the program as a command that runs beside servers has it."""
    program = compose_for(installation, is_secondary=True)
    yield program
    await program.db.close()


async def open_market(
    installation: Installation,
    *,
    customers: int,
    minutes: Sequence[int] = (60,),
    mode: BookingMode = BookingMode.REQUEST,
) -> Market:
    async with visiting(installation) as program:
        return await open_market_in(program, customers=customers, minutes=minutes, mode=mode)


async def open_market_in(
    program: Program,
    *,
    customers: int,
    minutes: Sequence[int] = (60,),
    mode: BookingMode = BookingMode.REQUEST,
) -> Market:
    people = [("staff@example.org", "Sam", Role.ADMIN), ("provider@example.org", "Pia", Role.PROVIDER)]
    people += [(f"customer{number}@example.org", "Kim", Role.CUSTOMER) for number in range(customers)]
    users = await program.links.of(Accounts).create_users_in_bulk(users=people, password=_PASSWORD)
    staff, owner = users[:2]
    provider_id = await _open_shop(program, owner=owner, staff=staff)
    services = {
        (mode, length): await _offer(program, owner=owner, provider_id=provider_id, minutes=length, mode=mode)
        for length in minutes
    }
    tokens = [await _token(program, user) for user in users]
    await fill_lists(program)
    return Market(provider_id, tokens[1], tokens[0], services, tokens[2:])


async def _open_shop(program: Program, *, owner: User, staff: User) -> UUID:
    catalog = program.links.of(Providers)
    profile = ProfileIn(
        vertical="tutors",
        business_name="Pia’s Lessons",
        location="Lisbon",
        timezone="UTC",
        bio="Patient.",
        meeting_details="https://meet.example.org/pia",
        categories=[_category(program)],
    )
    draft = await catalog.create_provider(owner_id=owner.id, profile=profile)
    await catalog.submit_provider(owner_id=owner.id, provider_id=draft.id)
    await catalog.approve_provider(staff_id=staff.id, provider_id=draft.id)
    rules = AvailabilityRules(timezone="UTC", weekly=_ALWAYS)
    await program.links.of(Bookings).set_rules(owner_id=owner.id, provider_id=draft.id, rules=rules)
    return draft.id


async def _offer(program: Program, *, owner: User, provider_id: UUID, minutes: int, mode: BookingMode) -> UUID:
    service = ServiceIn(
        name=f"{minutes} minutes",
        category=_category(program),
        price_minor=4_000,
        currency="EUR",
        duration_minutes=minutes,
        booking_mode=mode,
        places=["online"],
    )
    return (
        await program.links.of(Providers).add_service(owner_id=owner.id, provider_id=provider_id, service=service)
    ).id


def _category(program: Program) -> str:
    pack = program.verticals.find("tutors")
    assert pack is not None
    return pack.categories[0].slug


async def _token(program: Program, user: User) -> str:
    return (await program.links.of(Accounts).create_token(user_id=user.id, name="proof")).secret


def start_of(number: int, *, hours: int = 5) -> datetime:
    """Return the start of a numbered time, so far from the others that no two of them overlap."""
    first = datetime.combine(date.today() + timedelta(days=2), time(4), tzinfo=UTC)  # noqa: DTZ011 - any day will do
    return first + number * timedelta(hours=hours)


async def post(
    client: httpx.AsyncClient, path: str, *, token: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    return await client.post(f"/api/v1{path}", json=body or {}, headers={"Authorization": f"Bearer {token}"})
