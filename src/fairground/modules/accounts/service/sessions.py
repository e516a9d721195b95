"""Sign-in, API tokens, and the sessions they open."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from fairground.contracts.accounts import (
    HasherBusy,
    OpenedSession,
    Session,
    SessionKind,
    SessionNotFound,
    TooManyTokens,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.kernel.errors import Unavailable
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.service.part import Part
from fairground.platform.db.database import WriteTx

_MARK_SEEN_SECONDS: Final = 0.5  # that a request waits at most for a writer that others keep busy

log = structlog.get_logger()


class Sessions(Part):
    async def sign_in(
        self, *, email: str, password: str, kind: SessionKind, name: str, client: str, replaces: str | None = None
    ) -> OpenedSession:
        known_email = domain.find_email(email)
        counted_as = known_email or email
        await self.gate.admit_sign_in(email=counted_as, client=client)
        found = await self._find_credentials(known_email)
        try:
            # Verified also without an account, so that the time it takes does not tell who has one.
            is_right = await self.hasher.verify(password, against=found.password_hash if found else None)
        except HasherBusy:
            await self.gate.forget_sign_in(email=counted_as, client=client)
            raise
        if found is None or not is_right:
            raise _wrong_credentials()
        await self.gate.forget_sign_in(email=found.user.email, client=client)
        is_outdated = self.hasher.is_outdated(found.password_hash)
        new_hash = await self.hasher.hash(password) if is_outdated else None
        async with self.db.write() as tx:
            await _refuse_if_changed(tx, found)
            if new_hash is not None:
                await store.set_password_hash(tx, found.user.id, password_hash=new_hash)
            if replaces is not None:
                await store.delete_session_by_secret(tx, secret_hash=domain.hash_secret(replaces))
            # Signing in always succeeds: the sessions that were not seen for the longest make room.
            await store.delete_least_recently_seen(tx, found.user.id, kind=kind, keep=domain.SESSIONS_MAX - 1)
            return await self.open_session(tx, user=found.user, kind=kind, name=name)

    async def _find_credentials(self, email: str | None) -> store.Credentials | None:
        if email is None:
            return None
        async with self.db.read() as tx:
            return await store.find_credentials(tx, email=email)

    async def find_session(self, *, secret: str) -> tuple[Session, User] | None:
        if not domain.is_secret(secret):
            return None
        async with self.db.read() as tx:
            found = await store.find_live_session(tx, secret_hash=domain.hash_secret(secret))
        if found is None:
            return None
        if found.is_due:
            await self._try_to_mark_seen(found)
        return found.session, found.user

    async def _try_to_mark_seen(self, found: store.LiveSession) -> None:
        """Mark a session as seen, if the database can write now: a request that only reads must not fail with it."""
        try:
            async with asyncio.timeout(_MARK_SEEN_SECONDS):
                await self._mark_seen(found)
        except (Unavailable, TimeoutError) as error:
            log.warning("accounts.session_not_marked_seen", session_id=str(found.session.id), error=repr(error))

    async def _mark_seen(self, found: store.LiveSession) -> None:
        lifetime = domain.lifetime_of(self.settings, kind=found.session.kind, role=found.user.role)
        async with self.db.write() as tx:
            now = await tx.current_time()
            expires_at = lifetime.expires_at(seen_at=now, ends_at=found.ends_at)
            await store.mark_seen(tx, found.session.id, seen_at=now, expires_at=expires_at)

    async def create_token(self, *, user_id: UUID, name: str) -> OpenedSession:
        async with self.db.write() as tx:
            # Locked, so that of two requests at once the second one counts the token of the first.
            locked = await store.lock_credentials(tx, user_id)
            if locked is None:
                raise UserNotFound(f"There is no user {user_id}.")
            count = await store.count_sessions(tx, user_id, kind=SessionKind.TOKEN)
            if count >= domain.SESSIONS_MAX:
                raise TooManyTokens(f"You have {count} tokens, and {domain.SESSIONS_MAX} is the most.")
            return await self.open_session(tx, user=locked.user, kind=SessionKind.TOKEN, name=name)

    async def list_sessions(self, *, user_id: UUID) -> list[Session]:
        async with self.db.read() as tx:
            return await store.list_sessions(tx, user_id=user_id)

    async def revoke_session(self, *, user_id: UUID, session_id: UUID) -> None:
        async with self.db.write() as tx:
            if not await store.delete_session(tx, user_id=user_id, session_id=session_id):
                raise SessionNotFound(f"You have no session {session_id}.")


async def _refuse_if_changed(tx: WriteTx, found: store.Credentials) -> None:
    """Refuse a password that was replaced while it was being verified: it must not outlive the sessions it opened."""
    now = await store.lock_credentials(tx, found.user.id)
    if now is None or now.password_hash != found.password_hash:
        raise _wrong_credentials()


def _wrong_credentials() -> WrongCredentials:
    return WrongCredentials("There is no account with this e-mail address and password.")
