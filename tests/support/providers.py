"""Providers for tests, brought into the state that a test starts from."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fairground.contracts.accounts import Role, User, UserNotFound
from fairground.contracts.providers import BookingMode, OwnProvider, ProfileIn, Providers, ServiceIn
from fairground.kernel.ids import uuid7


class People:
    """The accounts that providers need, so that these tests depend on the contract alone."""

    def __init__(self) -> None:
        self.users: dict[UUID, User] = {}

    def add(self, role: Role = Role.PROVIDER, *, email_verified: bool = True) -> UUID:
        user = User(
            id=uuid7(),
            email=f"person{len(self.users)}@example.org",
            name="Kim",
            role=role,
            email_verified=email_verified,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.users[user.id] = user
        return user.id

    async def get_user(self, *, user_id: UUID) -> User:
        if user_id not in self.users:
            raise UserNotFound(f"User {user_id} does not exist.")
        return self.users[user_id]

    async def become_provider(self, *, user_id: UUID) -> User:
        user = await self.get_user(user_id=user_id)
        if user.role is Role.CUSTOMER:
            self.users[user_id] = user.model_copy(update={"role": Role.PROVIDER})
        return self.users[user_id]

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        return {user_id: self.users[user_id] for user_id in user_ids if user_id in self.users}


CLOCK_BEGINS_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)


class SteppingClock:
    """Moves on by a second each time it is read, so that no two providers are equally new."""

    def __init__(self) -> None:
        self._now = CLOCK_BEGINS_AT

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def a_profile(**changes: Any) -> ProfileIn:
    usual: dict[str, Any] = {
        "vertical": "artists",
        "business_name": "Blå Time Trio",
        "custom_subtitle": "Swing for small rooms",
        "bio": "Three people, one microphone.",
        "location": "Oslo, Norway",
        "lat": 59.91,
        "lng": 10.75,
        "timezone": "Europe/Oslo",
        "categories": ["jazz_ensemble", "band"],
        "contact_phone": "+47 22 00 00 00",
    }
    return ProfileIn(**(usual | changes))


def a_service(**changes: Any) -> ServiceIn:
    usual: dict[str, Any] = {
        "name": "Evening set",
        "category": "jazz_ensemble",
        "price_minor": 45_000,
        "currency": "EUR",
        "duration_minutes": 90,
        "booking_mode": BookingMode.REQUEST,
    }
    return ServiceIn(**(usual | changes))


class Desk:
    """Brings providers into the state that a test starts from."""

    def __init__(self, catalog: Providers, people: People) -> None:
        self.catalog = catalog
        self.people = people
        self.staff_id = people.add(Role.ADMIN)

    async def draft(self, **profile: Any) -> OwnProvider:
        return await self.catalog.create_provider(owner_id=self.people.add(), profile=a_profile(**profile))

    async def submitted(self, **profile: Any) -> OwnProvider:
        draft = await self.draft(**profile)
        return await self.catalog.submit_provider(owner_id=owner_of(draft), provider_id=draft.id)

    async def approved(self, *, price_minor: int | None = None, **profile: Any) -> OwnProvider:
        provider = await self.submitted(**profile)
        await self.catalog.approve_provider(staff_id=self.staff_id, provider_id=provider.id)
        if price_minor is not None:
            category = provider.service_categories[0]
            await self.offer(provider, price_minor=price_minor, category=category)
        return await self.catalog.get_provider_for_review(provider_id=provider.id)

    async def offer(self, provider: OwnProvider, **service: Any) -> UUID:
        offered = await self.catalog.add_service(
            owner_id=owner_of(provider), provider_id=provider.id, service=a_service(**service)
        )
        return offered.id


def owner_of(provider: OwnProvider) -> UUID:
    assert provider.owner_id is not None
    return provider.owner_id
