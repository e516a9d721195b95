"""Who has an account."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.accounts import Role, User, UserNotFound
from fairground.modules.accounts import store
from fairground.modules.accounts.service.part import Part


class Directory(Part):
    async def get_user(self, *, user_id: UUID) -> User:
        async with self.db.read() as tx:
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        async with self.db.read() as tx:
            return await store.find_users(tx, user_ids)

    async def list_users(self, *, role: Role | None, limit: int) -> list[User]:
        async with self.db.read() as tx:
            return await store.list_users(tx, role=role, limit=limit)

    async def count_users(self) -> int:
        async with self.db.read() as tx:
            return await store.count_users(tx)
