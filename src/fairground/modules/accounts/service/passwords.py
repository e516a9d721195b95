"""Passwords: what is required of them, their hashes, and new ones set by the current password or by a mailed link."""

import asyncio
import base64
import os
import threading
import unicodedata
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, Final, TypeVar
from uuid import UUID

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from fairground.contracts.accounts import (
    AccountStatus,
    HasherBusy,
    OpenedSession,
    PasswordUnfit,
    SessionNotFound,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import MailReset
from fairground.modules.accounts.service.sessions import Sessions
from fairground.platform.db.database import Database, WriteTx

PASSWORD_MIN_LENGTH: Final = 8
PASSWORD_MAX_LENGTH: Final = 128  # a bound on what is hashed; passphrases are far shorter
# OWASP's second recommendation: about 20 ms and 19 MiB a hash. More memory would allow fewer sign-ins at once.
_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
_QUEUE_PER_CORE: Final = 50  # about a second of waiting

_Result = TypeVar("_Result")


def normalise_password(password: str) -> str:
    """Return the bounded, NFKC-normalised text that is hashed, so that all keyboards give the same password."""
    return unicodedata.normalize("NFKC", password[: PASSWORD_MAX_LENGTH * 2])[: PASSWORD_MAX_LENGTH + 1]


def check_password(password: str, *, well_known: Collection[str]) -> None:
    """Refuse passwords that are too short, too long or well known. There are no rules of composition.

    Raises:
        PasswordUnfit
    """
    password = normalise_password(password)
    if len(password) < PASSWORD_MIN_LENGTH:
        raise PasswordUnfit(f"The password is too short. Use at least {PASSWORD_MIN_LENGTH} characters.")
    if len(password) > PASSWORD_MAX_LENGTH:
        raise PasswordUnfit(f"The password is too long. Use at most {PASSWORD_MAX_LENGTH} characters.")
    is_one_key = len(set(password)) == 1
    if is_one_key or password.casefold() in well_known:
        raise PasswordUnfit("This password is too common.")


def default_algorithm() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


def load_well_known_passwords() -> frozenset[str]:
    text = (resources.files("fairground.modules.accounts") / "well_known_passwords.txt").read_text()
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class PasswordHasher:
    """Hashes with argon2id, off the event loop, at most one password for each core, with a bounded queue."""

    def __init__(self, algorithm: argon2.PasswordHasher) -> None:
        self._algorithm = algorithm
        # The cores that this process may use: a container may get few of those of the machine, and a hash takes 19 MiB.
        cores = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="argon2")
        self._pending_lock = threading.Lock()
        self._pending = 0
        self._pending_max = cores * (1 + _QUEUE_PER_CORE)
        self._dummy_hash = _dummy_hash(algorithm)

    async def hash(self, password: str) -> str:
        """Raise HasherBusy when too many wait already; so does `verify`."""
        return await self._run(self._algorithm.hash, _bytes_of(password))

    async def verify(self, password: str, *, against: str | None) -> bool:
        """Return whether a password has this hash. Without a hash the result is False, after the same work."""
        return await self._run(self._verify, against or self._dummy_hash, _bytes_of(password))

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a hash was made with other parameters than those of the algorithm."""
        return self._algorithm.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._algorithm.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        if self._pending >= self._pending_max:
            raise HasherBusy(f"{self._pending} passwords are already waiting to be checked.")
        with self._pending_lock:
            self._pending += 1
        running = self._threads.submit(function, *arguments)
        # Cancelling a caller does not stop its thread, so the slot is free when the hash ends.
        running.add_done_callback(self._release)
        return await asyncio.wrap_future(running)

    def _release(self, _ended: object) -> None:
        with self._pending_lock:
            self._pending -= 1


def _dummy_hash(algorithm: argon2.PasswordHasher) -> str:
    """Return random bytes in the form of a hash of this algorithm; no password has it.

    It is not computed, because each start and each command would wait for that.
    """
    cost = f"m={algorithm.memory_cost},t={algorithm.time_cost},p={algorithm.parallelism}"
    salt, digest = (_base64(os.urandom(length)) for length in (algorithm.salt_len, algorithm.hash_len))
    return f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${cost}${salt}${digest}"


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _bytes_of(password: str) -> bytes:
    # A JSON text may hold half a surrogate pair, which strict UTF-8 has no bytes for.
    return normalise_password(password).encode(errors="surrogatepass")


class PasswordCheck:
    """Verifies the current password of a user who is signed in, before a change that only its holder may make."""

    def __init__(self, *, db: Database, attempts: AttemptLimiter, hasher: PasswordHasher) -> None:
        self._db = db
        self._attempts = attempts
        self._hasher = hasher

    async def verify(self, user_id: UUID, *, session_id: UUID, password: str) -> store.Credentials:
        """Return the credentials whose password this is; attempts are limited, as the session may be stolen.

        Raises:
            WrongCredentials, TooManyAttempts, HasherBusy, UserNotFound
        """
        async with self._db.read() as tx:
            found = await store.find_credentials_of(tx, user_id)
        if found is None:
            raise UserNotFound(f"User {user_id} does not exist.")
        email, source = found.user.email, f"session:{session_id}"
        await self._attempts.admit_password(email=email, source=source)
        try:
            is_right = await self._hasher.verify(password, against=found.password_hash)
        except HasherBusy:
            await self._attempts.uncount_password(email=email, source=source)
            raise
        if not is_right:
            raise wrong_password()
        await self._attempts.uncount_password(email=email, source=source)
        return found


async def lock_unchanged(tx: WriteTx, found: store.Credentials) -> store.Credentials:
    """Lock a user whose password was verified; raise WrongCredentials if it has been replaced since."""
    locked = await store.lock_credentials(tx, found.user.id)
    if locked is None or locked.password_hash != found.password_hash:
        raise wrong_password()
    return locked


def wrong_password() -> WrongCredentials:
    return WrongCredentials("The current password is incorrect.", hint="Sign out and reset your password.")


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
        self._check = PasswordCheck(db=db, attempts=attempts, hasher=hasher)
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
        check_password(password, well_known=self._well_known_passwords)
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

    async def set_password(self, *, user_id: UUID, password: str) -> None:
        check_password(password, well_known=self._well_known_passwords)
        password_hash = await self._hasher.hash(password)
        async with self._db.write() as tx:
            locked = await store.lock_credentials(tx, user_id)
            if locked is None or locked.user.status is AccountStatus.CLOSED:
                raise UserNotFound(f"Account {user_id} does not exist or is closed.")
            user = await self._set_password(tx, user_id, password_hash=password_hash)
        await self._attempts.clear_passwords(email=user.email)

    async def change_password(self, *, user_id: UUID, session_id: UUID, current: str, new: str) -> OpenedSession:
        found = await self._check.verify(user_id, session_id=session_id, password=current)
        check_password(new, well_known=self._well_known_passwords)
        password_hash = await self._hasher.hash(new)
        async with self._db.write() as tx:
            await lock_unchanged(tx, found)
            session = await store.find_session_of(tx, user_id=user_id, session_id=session_id)
            if session is None:
                raise SessionNotFound(f"Session {session_id} does not exist.")
            user = await self._set_password(tx, user_id, password_hash=password_hash)
            return await self._sessions.open_session(tx, user=user, kind=session.kind, name=session.name)

    async def _set_password(self, tx: WriteTx, user_id: UUID, *, password_hash: str) -> User:
        """Replace the password, and end all sessions and links that the old one may have opened."""
        await store.set_password_hash(tx, user_id, password_hash=password_hash)
        await store.delete_sessions_of(tx, user_id)
        await store.delete_links_of(tx, user_id, purpose=LinkPurpose.RESET_PASSWORD)
        user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"User {user_id} does not exist.")
        return user
