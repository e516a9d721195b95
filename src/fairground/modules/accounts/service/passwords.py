"""New passwords: by the current one, or by a mailed link."""

from collections.abc import Collection
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
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import MailReset
from fairground.modules.accounts.service.password_hasher import PasswordHasher
from fairground.modules.accounts.service.sessions import Sessions
from fairground.platform.db.database import Database, WriteTx


class Passwords:
    def __init__(
        self,
        *,
        db: Database,
        attempts: AttemptLimiter,
        hasher: PasswordHasher,
        sessions: Sessions,
        well_known_passwords: Collection[str],
    ) -> None:
        self._db = db
        self._attempts = attempts
        self._hasher = hasher
        self._sessions = sessions
        self._well_known_passwords = well_known_passwords

    async def request_password_reset(self, *, email: str, client: str) -> None:
        known_email = domain.find_email(email)
        is_mailed = await self._attempts.admit_reset(email=known_email or email, client=client)
        if known_email is None or not is_mailed:
            return
        async with self._db.read() as tx:
            found = await store.find_credentials(tx, email=known_email)
        if found is None:
            return
        async with self._db.write() as tx:
            await tx.enqueue(MailReset(user_id=found.user.id), dedup_key=str(found.user.id))

    async def reset_password(self, *, token: str, password: str) -> User:
        # Checked before the hash, so that only the holder of a link can make the server compute one.
        user_id = await self._find_link_holder(token)
        domain.check_password(password, well_known=self._well_known_passwords)
        password_hash = await self._hasher.hash(password)
        async with self._db.write() as tx:
            # Every change of a password locks the user first; in another order two of them could deadlock.
            await store.lock_credentials(tx, user_id)
            token_hash = domain.hash_secret(token)
            if not await store.delete_link(tx, token_hash=token_hash, purpose=LinkPurpose.RESET_PASSWORD):
                raise domain.link_unusable()
            user = await self._set_password(tx, user_id, password_hash=password_hash)
        await self._attempts.clear_passwords(email=user.email)
        return user

    async def _find_link_holder(self, token: str) -> UUID:
        user_id = None
        if domain.is_secret(token):
            async with self._db.read() as tx:
                user_id = await store.find_link_holder(
                    tx, token_hash=domain.hash_secret(token), purpose=LinkPurpose.RESET_PASSWORD
                )
        if user_id is None:
            raise domain.link_unusable()
        return user_id

    async def change_password(self, *, user_id: UUID, session_id: UUID, current: str, new: str) -> OpenedSession:
        found = await self._verify_current(user_id, session_id=session_id, current=current)
        domain.check_password(new, well_known=self._well_known_passwords)
        password_hash = await self._hasher.hash(new)
        async with self._db.write() as tx:
            locked = await store.lock_credentials(tx, user_id)
            if locked is None or locked.password_hash != found.password_hash:
                raise _wrong_password()
            session = await store.find_session_of(tx, user_id=user_id, session_id=session_id)
            if session is None:
                raise SessionNotFound(f"You have no session {session_id}.")
            user = await self._set_password(tx, user_id, password_hash=password_hash)
            return await self._sessions.open_session(tx, user=user, kind=session.kind, name=session.name)

    async def _verify_current(self, user_id: UUID, *, session_id: UUID, current: str) -> store.Credentials:
        """Return the credentials if `current` is their password; attempts are limited, as the session may be stolen."""
        async with self._db.read() as tx:
            found = await store.find_credentials_of(tx, user_id)
        if found is None:
            raise UserNotFound(f"There is no user {user_id}.")
        email, source = found.user.email, f"session:{session_id}"
        await self._attempts.admit_password(email=email, source=source)
        try:
            is_right = await self._hasher.verify(current, against=found.password_hash)
        except HasherBusy:
            await self._attempts.uncount_password(email=email, source=source)
            raise
        if not is_right:
            raise _wrong_password()
        await self._attempts.uncount_password(email=email, source=source)
        return found

    async def _set_password(self, tx: WriteTx, user_id: UUID, *, password_hash: str) -> User:
        """Replace the password, and end all sessions and links that the old one may have opened."""
        await store.set_password_hash(tx, user_id, password_hash=password_hash)
        await store.delete_sessions_of(tx, user_id)
        await store.delete_links_of(tx, user_id, purpose=LinkPurpose.RESET_PASSWORD)
        user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user


def _wrong_password() -> WrongCredentials:
    return WrongCredentials("This is not the current password.", hint="Sign out and ask for a new one by mail.")
