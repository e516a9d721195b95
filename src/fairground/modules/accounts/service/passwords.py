"""New passwords: from the holder of the old one, or from whoever reads the account's mail."""

from uuid import UUID

from fairground.contracts.accounts import (
    HasherBusy,
    OpenedSession,
    SessionNotFound,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.jobs import MailReset
from fairground.modules.accounts.service.part import Part, link_unusable
from fairground.platform.db.database import WriteTx


class Passwords(Part):
    async def request_password_reset(self, *, email: str, client: str) -> None:
        known_email = domain.find_email(email)
        is_mailed = await self.gate.admit_reset(email=known_email or email, client=client)
        if known_email is None or not is_mailed:
            return
        async with self.db.read() as tx:
            found = await store.find_credentials(tx, email=known_email)
        if found is None:
            return
        async with self.db.write() as tx:
            await tx.enqueue(MailReset(user_id=found.user.id), dedup_key=str(found.user.id))

    async def open_reset_link(self, *, user_id: UUID) -> tuple[User, str] | None:
        """Return the user and a token that sets a new password; None if the user is gone."""
        async with self.db.write() as tx:
            user = await store.find_user(tx, user_id)
            if user is None:
                return None
            return user, await self.open_link(tx, user_id=user_id, purpose=LinkPurpose.RESET_PASSWORD)

    async def reset_password(self, *, token: str, password: str) -> User:
        # Looked at first, so that only the holder of a link can make us hash.
        user_id = await self._find_link_holder(token)
        domain.check_password(password, well_known=self.well_known_passwords)
        password_hash = await self.hasher.hash(password)
        async with self.db.write() as tx:
            # Everybody who changes a password locks the user first; in any other order two of them could deadlock.
            await store.lock_credentials(tx, user_id)
            token_hash = domain.hash_secret(token)
            if not await store.delete_link(tx, token_hash=token_hash, purpose=LinkPurpose.RESET_PASSWORD):
                raise link_unusable()
            user = await self._set_password(tx, user_id, password_hash=password_hash)
        await self.gate.forget_wrong_passwords(email=user.email)
        return user

    async def _find_link_holder(self, token: str) -> UUID:
        user_id = None
        if domain.is_secret(token):
            async with self.db.read() as tx:
                user_id = await store.find_link_holder(
                    tx, token_hash=domain.hash_secret(token), purpose=LinkPurpose.RESET_PASSWORD
                )
        if user_id is None:
            raise link_unusable()
        return user_id

    async def change_password(self, *, user_id: UUID, session_id: UUID, current: str, new: str) -> OpenedSession:
        found = await self._verify_current(user_id, session_id=session_id, current=current)
        domain.check_password(new, well_known=self.well_known_passwords)
        password_hash = await self.hasher.hash(new)
        async with self.db.write() as tx:
            locked = await store.lock_credentials(tx, user_id)
            if locked is None or locked.password_hash != found.password_hash:
                raise _wrong_password()
            session = await store.find_session_of(tx, user_id=user_id, session_id=session_id)
            if session is None:
                raise SessionNotFound(f"You have no session {session_id}.")
            user = await self._set_password(tx, user_id, password_hash=password_hash)
            return await self.open_session(tx, user=user, kind=session.kind, name=session.name)

    async def _verify_current(self, user_id: UUID, *, session_id: UUID, current: str) -> store.Credentials:
        """Return the credentials when `current` is their password; a stolen session may not guess it for long."""
        async with self.db.read() as tx:
            found = await store.find_credentials_of(tx, user_id)
        if found is None:
            raise UserNotFound(f"There is no user {user_id}.")
        email, source = found.user.email, f"session:{session_id}"
        await self.gate.admit_password(email=email, source=source)
        try:
            is_right = await self.hasher.verify(current, against=found.password_hash)
        except HasherBusy:
            await self.gate.forget_right_password(email=email, source=source)
            raise
        if not is_right:
            raise _wrong_password()
        await self.gate.forget_right_password(email=email, source=source)
        return found

    async def _set_password(self, tx: WriteTx, user_id: UUID, *, password_hash: str) -> User:
        """Replace the password, and with it everything that the old one may have opened."""
        await store.set_password_hash(tx, user_id, password_hash=password_hash)
        await store.delete_sessions_of(tx, user_id)
        await store.delete_links_of(tx, user_id, purpose=LinkPurpose.RESET_PASSWORD)
        user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user


def _wrong_password() -> WrongCredentials:
    return WrongCredentials("This is not the current password.", hint="Sign out and ask for a new one by mail.")
