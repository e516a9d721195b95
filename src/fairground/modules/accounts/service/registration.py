"""How accounts come to be."""

from collections.abc import Sequence
from typing import Final

from fairground.contracts.accounts import EmailTaken, EmailVerified, Role, RoleNotOffered, User, UserRegistered
from fairground.kernel.ids import uuid7
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.service.jobs import MailVerification
from fairground.modules.accounts.service.part import Part
from fairground.platform.db.database import WriteTx

_OPEN_TO_ALL: Final = frozenset({Role.CUSTOMER, Role.PROVIDER})


class Registration(Part):
    async def register(self, *, email: str, password: str, name: str, role: Role, client: str) -> User:
        await self.gate.admit_registration(client=client)
        if role not in _OPEN_TO_ALL:
            raise RoleNotOffered(f"Nobody can register as {role.value}.")
        (user,), password_hash = await self._prepare([(email, name, role)], password=password, email_verified=False)
        async with self.db.write() as tx:
            await _insert(tx, [user], password_hash=password_hash)
            await tx.enqueue(MailVerification(user_id=user.id), dedup_key=str(user.id))
        return user

    async def create_user(
        self, *, email: str, password: str, name: str, role: Role, email_verified: bool = True
    ) -> User:
        (user,), password_hash = await self._prepare(
            [(email, name, role)], password=password, email_verified=email_verified
        )
        async with self.db.write() as tx:
            await _insert(tx, [user], password_hash=password_hash)
        return user

    async def create_users_in_bulk(self, *, users: list[tuple[str, str, Role]], password: str) -> list[User]:
        opened, password_hash = await self._prepare(users, password=password, email_verified=True)
        async with self.db.write() as tx:
            await _insert(tx, opened, password_hash=password_hash)
        return opened

    async def _prepare(
        self, users: Sequence[tuple[str, str, Role]], *, password: str, email_verified: bool
    ) -> tuple[list[User], str]:
        """Judge what was said of the users and hash their password, all before any transaction that writes."""
        domain.check_password(password, well_known=self.well_known_passwords)
        said = [(domain.get_email(email), domain.get_name(name), role) for email, name, role in users]
        async with self.db.read() as tx:
            now = await tx.current_time()
            if len(said) == 1 and await store.find_credentials(tx, email=said[0][0]):
                raise _email_taken()
        opened = [
            User(id=uuid7(), email=email, name=name, role=role, email_verified=email_verified, created_at=now)
            for email, name, role in said
        ]
        return opened, await self.hasher.hash(password)


async def _insert(tx: WriteTx, users: Sequence[User], *, password_hash: str) -> None:
    if await store.insert_users(tx, users, password_hash=password_hash) != len(users):
        raise _email_taken()
    for user in users:
        await tx.emit(UserRegistered(user_id=user.id, role=user.role))
        if user.email_verified:
            await tx.emit(EmailVerified(user_id=user.id))


def _email_taken() -> EmailTaken:
    return EmailTaken("There is an account with this e-mail address already.")
