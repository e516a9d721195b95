"""Sign-in: counted, verified in the same time for every address, and answered with a new session."""

from fairground.contracts.accounts import HasherBusy, OpenedSession, SessionKind, WrongCredentials
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.passwords import PasswordHasher
from fairground.modules.accounts.service.sessions import Sessions, refuse_suspended
from fairground.modules.accounts.store import own_accounts
from fairground.platform.db.database import Database, WriteTx


class SignIn:
    def __init__(self, *, db: Database, attempts: AttemptLimiter, hasher: PasswordHasher, sessions: Sessions) -> None:
        self._db = db
        self._attempts = attempts
        self._hasher = hasher
        self._sessions = sessions

    async def sign_in(
        self, *, email: str, password: str, kind: SessionKind, name: str, client: str, replaces: str | None = None
    ) -> OpenedSession:
        known_email = domain.find_email(email)
        found = await self._verify(known_email, counted_as=known_email or email, password=password, client=client)
        await self._attempts.uncount_sign_in(email=found.user.email, client=client)
        is_outdated = self._hasher.is_outdated(found.password_hash)
        new_hash = await self._hasher.hash(password) if is_outdated else None
        async with self._db.write() as tx:
            await _refuse_if_changed(tx, found)
            hashed = {} if new_hash is None else {"password_hash": new_hash}
            await own_accounts.change_user(tx, found.user.id, {"last_signed_in_at": tx.now(), **hashed})
            if replaces is not None:
                await store.delete_session_by_secret(tx, secret_hash=domain.hash_secret(replaces))
            # Signing in always succeeds: the sessions that were not seen for the longest make room.
            await store.delete_least_recently_seen(tx, found.user.id, kind=kind, keep=domain.SESSIONS_MAX - 1)
            return await self._sessions.open_session(tx, user=found.user, kind=kind, name=name)

    async def _verify(self, email: str | None, *, counted_as: str, password: str, client: str) -> store.Credentials:
        """Return the credentials whose password this is, or raise WrongCredentials."""
        await self._attempts.admit_sign_in(email=counted_as, client=client)
        found = await self._find_credentials(email)
        try:
            # An unknown address is verified too, so that the time of a response does not show which ones have accounts.
            is_right = await self._hasher.verify(password, against=found.password_hash if found else None)
        except HasherBusy:
            await self._attempts.uncount_sign_in(email=counted_as, client=client)
            raise
        if found is None or not is_right:
            raise _wrong_credentials()
        return found

    async def _find_credentials(self, email: str | None) -> store.Credentials | None:
        if email is None:
            return None
        async with self._db.read() as tx:
            return await store.find_credentials(tx, email=email)


async def _refuse_if_changed(tx: WriteTx, found: store.Credentials) -> None:
    """Refuse a password that was replaced while it was being verified: it must not outlive the sessions it opened.

    The status is read under the same lock, because a suspension ends the sessions that it finds.
    """
    now = await store.lock_credentials(tx, found.user.id)
    if now is None or now.password_hash != found.password_hash:
        raise _wrong_credentials()
    refuse_suspended(now.user)


def _wrong_credentials() -> WrongCredentials:
    return WrongCredentials("Incorrect email or password.")
