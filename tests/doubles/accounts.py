"""Accounts in memory: people by id, as other modules ask for them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from fairground.contracts.accounts import Role, User, UserNotFound
from fairground.kernel.ids import uuid7


@dataclass
class FakeAccounts:
    users: dict[UUID, User] = field(default_factory=dict)

    def add(self, name: str, *, role: Role = Role.CUSTOMER, user_id: UUID | None = None) -> User:
        user = User(
            id=user_id or uuid7(),
            email=f"{name.split(maxsplit=1)[0].lower()}@example.test",
            name=name,
            role=role,
            email_verified=True,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.users[user.id] = user
        return user

    async def get_user(self, *, user_id: UUID) -> User:
        if user_id not in self.users:
            raise UserNotFound(f"User {user_id} does not exist.")
        return self.users[user_id]

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        return {user_id: self.users[user_id] for user_id in user_ids if user_id in self.users}

    async def list_staff(self, *, limit: int) -> list[User]:
        return [user for user in self.users.values() if user.role.is_staff][:limit]

    async def list_users(self, *, role: Role | None, limit: int) -> list[User]:
        return [user for user in self.users.values() if role in (None, user.role)][:limit]
