"""Users: their registration, and the directory in which they are looked up."""

from collections.abc import Callable, Collection, Sequence
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import (
    EmailTaken,
    EmailVerified,
    Role,
    RoleNotOffered,
    User,
    UserNotFound,
    UserRegistered,
)
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import MailVerification
from fairground.modules.accounts.service.passwords import PasswordHasher, check_password
from fairground.platform.db.database import Database, WriteTx

_REGISTRABLE: Final = frozenset({Role.CUSTOMER, Role.PROVIDER})


class Users:
    def __init__(
        self,
        *,
        db: Database,
        attempts: AttemptLimiter,
        hasher: PasswordHasher,
        well_known_passwords: Collection[str],
    ) -> None:
        self._db = db
        self._attempts = attempts
        self._hasher = hasher
        self._well_known_passwords = well_known_passwords

    def check_registration(self, *, email: str | None, password: str | None, name: str | None) -> list[Invalid]:
        checks: list[Callable[[], object]] = []
        if name is not None:
            checks.append(lambda: domain.get_name(name))
        if email is not None:
            checks.append(lambda: domain.get_email(email))
        if password is not None:
            checks.append(lambda: check_password(password, well_known=self._well_known_passwords))
        refusals: list[Invalid] = []
        for check in checks:
            try:
                check()
            except Invalid as refusal:
                refusals.append(refusal)
        return refusals

    async def register(
        self, *, email: str, password: str, name: str, role: Role, client: str, next_path: str = ""
    ) -> User:
        await self._attempts.admit_registration(client=client)
        if role not in _REGISTRABLE:
            raise RoleNotOffered(f"You can't register as {role.value}.")
        (user,), password_hash = await self._prepare([(email, name, role)], password=password, email_verified=False)
        async with self._db.write() as tx:
            await _insert(tx, [user], password_hash=password_hash)
            await tx.enqueue(MailVerification(user_id=user.id, next_path=next_path), dedup_key=str(user.id))
        return user

    async def create_user(
        self, *, email: str, password: str, name: str, role: Role, email_verified: bool = True
    ) -> User:
        (user,), password_hash = await self._prepare(
            [(email, name, role)], password=password, email_verified=email_verified
        )
        async with self._db.write() as tx:
            await _insert(tx, [user], password_hash=password_hash)
        return user

    async def create_users_in_bulk(self, *, users: list[tuple[str, str, Role]], password: str) -> list[User]:
        new, password_hash = await self._prepare(users, password=password, email_verified=True)
        async with self._db.write() as tx:
            await _insert(tx, new, password_hash=password_hash)
        return new

    async def _prepare(
        self, users: Sequence[tuple[str, str, Role]], *, password: str, email_verified: bool
    ) -> tuple[list[User], str]:
        """Validate the fields of new users and hash their password, before any write transaction."""
        check_password(password, well_known=self._well_known_passwords)
        checked = [(domain.get_email(email), domain.get_name(name), role) for email, name, role in users]
        async with self._db.read() as tx:
            now = await tx.current_time()
            if len(checked) == 1 and await store.find_credentials(tx, email=checked[0][0]):
                raise _email_taken()
        new = [
            User(id=uuid7(), email=email, name=name, role=role, email_verified=email_verified, created_at=now)
            for email, name, role in checked
        ]
        return new, await self._hasher.hash(password)

    async def get_user(self, *, user_id: UUID) -> User:
        async with self._db.read() as tx:
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"User {user_id} does not exist.")
        return user

    async def find_user_by_email(self, *, email: str) -> User | None:
        known_email = domain.find_email(email)
        if known_email is None:
            return None
        async with self._db.read() as tx:
            found = await store.find_credentials(tx, email=known_email)
        return None if found is None else found.user

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        async with self._db.read() as tx:
            return await store.find_users(tx, user_ids)

    async def list_users(self, *, role: Role | None, limit: int) -> list[User]:
        async with self._db.read() as tx:
            return await store.list_users(tx, role=role, limit=limit)

    async def list_staff(self, *, limit: int) -> list[User]:
        async with self._db.read() as tx:
            return await store.list_staff(tx, limit=limit)

    async def count_users(self) -> int:
        async with self._db.read() as tx:
            return await store.count_users(tx)


async def _insert(tx: WriteTx, users: Sequence[User], *, password_hash: str) -> None:
    if await store.insert_users(tx, users, password_hash=password_hash) != len(users):
        raise _email_taken()
    for user in users:
        await tx.emit(UserRegistered(user_id=user.id, role=user.role))
        if user.email_verified:
            await tx.emit(EmailVerified(user_id=user.id))


def _email_taken() -> EmailTaken:
    return EmailTaken("An account with this email address already exists.")
