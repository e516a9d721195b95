"""Sessions of browsers and API tokens: opened, found by their secret, listed, revoked and deleted when expired."""

import asyncio
from typing import ClassVar, Final
from uuid import UUID

import structlog

from fairground.contracts.accounts import (
    AccountStatus,
    OpenedSession,
    Session,
    SessionKind,
    SessionNotFound,
    SignInSuspended,
    TooManyTokens,
    User,
    UserNotFound,
)
from fairground.kernel.errors import Unavailable
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database, WriteTx

_MARK_SEEN_SECONDS: Final = 0.5  # the longest wait of a request for a writer that others keep busy

log = structlog.get_logger()


class DropExpired(Job):
    topic: ClassVar = "accounts.drop_expired.v1"


def refuse_suspended(user: User) -> None:
    """Raise SignInSuspended for a suspended account."""
    if user.status is AccountStatus.SUSPENDED:
        raise SignInSuspended("This account is suspended.")


class Sessions:
    def __init__(self, *, db: Database, settings: AccountsSettings) -> None:
        self._db = db
        self._settings = settings

    async def open_session(self, tx: WriteTx, *, user: User, kind: SessionKind, name: str) -> OpenedSession:
        """Store a new session; only the return value holds its secret."""
        now = await tx.current_time()
        lifetime = domain.lifetime_of(self._settings, kind=kind, role=user.role)
        ends_at = now + lifetime.absolute
        session = Session(
            id=uuid7(),
            user_id=user.id,
            kind=kind,
            name=domain.session_name(name),
            created_at=now,
            last_seen_at=now,
            expires_at=lifetime.expires_at(seen_at=now, ends_at=ends_at),
        )
        secret = domain.new_secret()
        await store.insert_session(tx, session, secret_hash=domain.hash_secret(secret), ends_at=ends_at)
        return OpenedSession(session=session, user=user, secret=secret)

    async def create_token(self, *, user_id: UUID, name: str) -> OpenedSession:
        async with self._db.write() as tx:
            # Locked, so that of two requests at once the second one counts the token of the first.
            locked = await store.lock_credentials(tx, user_id)
            if locked is None:
                raise UserNotFound(f"User {user_id} does not exist.")
            refuse_suspended(locked.user)
            count = await store.count_sessions(tx, user_id, kind=SessionKind.TOKEN)
            if count >= domain.SESSIONS_MAX:
                raise TooManyTokens(f"You have {count} tokens. The maximum is {domain.SESSIONS_MAX}.")
            return await self.open_session(tx, user=locked.user, kind=SessionKind.TOKEN, name=name)

    async def find_session(self, *, secret: str) -> tuple[Session, User] | None:
        if not domain.is_secret(secret):
            return None
        async with self._db.read() as tx:
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
        lifetime = domain.lifetime_of(self._settings, kind=found.session.kind, role=found.user.role)
        async with self._db.write() as tx:
            now = await tx.current_time()
            expires_at = lifetime.expires_at(seen_at=now, ends_at=found.ends_at)
            await store.mark_seen(tx, found.session.id, seen_at=now, expires_at=expires_at)

    async def list_sessions(self, *, user_id: UUID) -> list[Session]:
        async with self._db.read() as tx:
            return await store.list_sessions(tx, user_id=user_id)

    async def revoke_session(self, *, user_id: UUID, session_id: UUID) -> None:
        async with self._db.write() as tx:
            if not await store.delete_session(tx, user_id=user_id, session_id=session_id):
                raise SessionNotFound(f"Session {session_id} does not exist.")

    async def drop_expired(self, _job: DropExpired) -> None:
        """Delete expired sessions and mailed links."""
        async with self._db.write(ends_job=True) as tx:
            await store.delete_expired(tx)
