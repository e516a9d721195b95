"""Verification of e-mail addresses by a mailed link."""

from uuid import UUID

from fairground.contracts.accounts import EmailVerified, User, UserNotFound
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import MailVerification
from fairground.platform.db.database import Database


class EmailVerification:
    def __init__(self, *, db: Database, attempts: AttemptLimiter) -> None:
        self._db = db
        self._attempts = attempts

    async def send_verification(self, *, user_id: UUID) -> None:
        async with self._db.read() as tx:
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        if user.email_verified:
            return
        await self._attempts.admit_verification(user_id=user_id)
        async with self._db.write() as tx:
            await tx.enqueue(MailVerification(user_id=user_id), dedup_key=str(user_id))

    async def verify_email(self, *, token: str) -> User:
        if not domain.is_secret(token):
            raise domain.link_unusable()
        token_hash = domain.hash_secret(token)
        async with self._db.write() as tx:
            user_id = await store.find_link_holder(tx, token_hash=token_hash, purpose=LinkPurpose.VERIFY_EMAIL)
            if user_id is None:
                raise domain.link_unusable()
            # Every use of a link locks the user first; in another order two of them could deadlock.
            await store.lock_credentials(tx, user_id)
            if not await store.delete_link(tx, token_hash=token_hash, purpose=LinkPurpose.VERIFY_EMAIL):
                raise domain.link_unusable()
            await store.delete_links_of(tx, user_id, purpose=LinkPurpose.VERIFY_EMAIL)
            if await store.mark_verified(tx, user_id):
                await tx.emit(EmailVerified(user_id=user_id))
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user
