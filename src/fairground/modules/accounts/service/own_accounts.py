"""What users do with their own account: details, becoming a provider, another address, and closing it."""

from collections.abc import Callable, Mapping
from uuid import UUID

from fairground.contracts.accounts import (
    AccountClosed,
    AccountInUse,
    AccountObligations,
    EmailChanged,
    EmailTaken,
    EmailUnchanged,
    EmailVerified,
    LastAdmin,
    LiveBooking,
    NotForStaff,
    OwnAccount,
    Role,
    User,
    UserNotFound,
)
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import MailEmailNotice, MailNewEmail
from fairground.modules.accounts.service.passwords import PasswordCheck, lock_unchanged
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.store import own_accounts
from fairground.platform.db.database import Database, ReadTx, WriteTx


class NoObligations:
    """The obligations of accounts in an installation without booking."""

    async def list_live_bookings(self, *, user_id: UUID) -> list[LiveBooking]:  # noqa: ARG002
        return []


class AccountDetails:
    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def get_own_account(self, *, user_id: UUID) -> OwnAccount:
        async with self._db.read() as tx:
            return await _get_own(tx, user_id)

    async def change_details(self, *, user_id: UUID, changes: Mapping[str, str | None]) -> OwnAccount:
        values: dict[str, str | None] = {}
        if "name" in changes:
            values["name"] = domain.get_name(changes["name"] or "")
        if "phone" in changes:
            values["phone"] = domain.get_phone(changes["phone"])
        async with self._db.write() as tx:
            await _lock(tx, user_id)
            if values:
                await own_accounts.change_user(tx, user_id, values)
            account = await _get_own(tx, user_id)
            await own_accounts.replace_words(tx, account)
        return account

    async def become_provider(self, *, user_id: UUID) -> OwnAccount:
        async with self._db.write() as tx:
            user = await _lock(tx, user_id)
            if user.role.is_staff:
                raise NotForStaff("Staff accounts can't offer services.")
            if user.role is Role.CUSTOMER:
                await own_accounts.change_user(tx, user_id, {"role": Role.PROVIDER.value})
            return await _get_own(tx, user_id)


class EmailChanges:
    def __init__(
        self, *, db: Database, attempts: AttemptLimiter, check: PasswordCheck, settings: AccountsSettings
    ) -> None:
        self._db = db
        self._attempts = attempts
        self._check = check
        self._settings = settings

    async def request_email_change(self, *, user_id: UUID, session_id: UUID, email: str, password: str) -> OwnAccount:
        new_email = domain.get_email(email)
        found = await self._check.verify(user_id, session_id=session_id, password=password)
        if new_email == found.user.email:
            raise EmailUnchanged("This is already your email address.", field="email")
        await self._attempts.admit_email_change(user_id=user_id)
        async with self._db.write() as tx:
            await lock_unchanged(tx, found)
            if await store.find_credentials(tx, email=new_email) is not None:
                raise EmailTaken("An account with this email address already exists.", field="email")
            await store.delete_links_of(tx, user_id, purpose=LinkPurpose.CHANGE_EMAIL)
            lasts = domain.link_lifetime(self._settings, purpose=LinkPurpose.CHANGE_EMAIL)
            expires_at = await tx.current_time() + lasts
            await own_accounts.put_email_change(tx, user_id, email=new_email, expires_at=expires_at)
            for job in (MailNewEmail(user_id=user_id), MailEmailNotice(user_id=user_id)):
                await tx.enqueue(job)
            return await _get_own(tx, user_id)

    async def cancel_email_change(self, *, user_id: UUID) -> OwnAccount:
        async with self._db.write() as tx:
            await _lock(tx, user_id)
            await store.delete_links_of(tx, user_id, purpose=LinkPurpose.CHANGE_EMAIL)
            await own_accounts.delete_email_change(tx, user_id)
            return await _get_own(tx, user_id)

    async def confirm_email_change(self, *, token: str) -> User:
        if not domain.is_secret(token):
            raise domain.link_unusable()
        token_hash = domain.hash_secret(token)
        async with self._db.write() as tx:
            user_id = await store.find_link_holder(tx, token_hash=token_hash, purpose=LinkPurpose.CHANGE_EMAIL)
            if user_id is None:
                raise domain.link_unusable()
            # Every use of a link locks the user first; in another order two of them could deadlock.
            before = await _lock(tx, user_id)
            new_email = await own_accounts.find_new_email(tx, user_id)
            is_used = await store.delete_link(tx, token_hash=token_hash, purpose=LinkPurpose.CHANGE_EMAIL)
            if not is_used or new_email is None:
                raise domain.link_unusable()
            # Links to the old address must not reset the password of an account that has left it.
            await store.delete_all_links_of(tx, user_id)
            await own_accounts.delete_email_change(tx, user_id)
            await own_accounts.replace_email(tx, user_id, email=new_email)
            user = await _lock(tx, user_id)
            await own_accounts.replace_words(tx, user)
            await tx.emit(EmailChanged(user_id=user_id))
            if not before.email_verified:
                await tx.emit(EmailVerified(user_id=user_id))
        return user


class AccountClosing:
    def __init__(
        self, *, db: Database, check: PasswordCheck, obligations: Callable[[], AccountObligations] = NoObligations
    ) -> None:
        self._db = db
        self._check = check
        self._obligations = obligations

    async def close_account(self, *, user_id: UUID, session_id: UUID, password: str) -> None:
        found = await self._check.verify(user_id, session_id=session_id, password=password)
        # This call precedes the transaction, because a slow module must not hold our locks.
        bookings = await self._obligations().list_live_bookings(user_id=user_id)
        if bookings:
            raise AccountInUse(bookings)
        async with self._db.write() as tx:
            if found.user.role is Role.ADMIN and await own_accounts.count_active_admins(tx) == 1:
                raise LastAdmin("This is the only admin account.")
            await lock_unchanged(tx, found)
            version = await own_accounts.close(tx, user_id)
            await tx.emit(AccountClosed(user_id=user_id, version=version))


async def _lock(tx: WriteTx, user_id: UUID) -> User:
    locked = await store.lock_credentials(tx, user_id)
    if locked is None:
        raise UserNotFound(f"User {user_id} does not exist.")
    return locked.user


async def _get_own(tx: ReadTx, user_id: UUID) -> OwnAccount:
    account = await own_accounts.find_own_account(tx, user_id)
    if account is None:
        raise UserNotFound(f"User {user_id} does not exist.")
    return account
