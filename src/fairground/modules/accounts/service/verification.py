"""The proof that an e-mail address is its user's."""

from uuid import UUID

from fairground.contracts.accounts import EmailVerified, User, UserNotFound
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.jobs import MailVerification
from fairground.modules.accounts.service.part import Part, link_unusable


class Verification(Part):
    async def send_verification(self, *, user_id: UUID) -> None:
        async with self.db.read() as tx:
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        if user.email_verified:
            return
        await self.gate.admit_verification(user_id=user_id)
        async with self.db.write() as tx:
            await tx.enqueue(MailVerification(user_id=user_id), dedup_key=str(user_id))

    async def open_verification_link(self, *, user_id: UUID) -> tuple[User, str] | None:
        """Return the user and a token that verifies the address; None if there is nothing to verify."""
        async with self.db.write() as tx:
            user = await store.find_user(tx, user_id)
            if user is None or user.email_verified:
                return None
            return user, await self.open_link(tx, user_id=user_id, purpose=LinkPurpose.VERIFY_EMAIL)

    async def verify_email(self, *, token: str) -> User:
        if not domain.is_secret(token):
            raise link_unusable()
        token_hash = domain.hash_secret(token)
        async with self.db.write() as tx:
            user_id = await store.find_link_holder(tx, token_hash=token_hash, purpose=LinkPurpose.VERIFY_EMAIL)
            if user_id is None:
                raise link_unusable()
            # Locked first by everybody who uses a link up; in any other order two of them could deadlock.
            await store.lock_credentials(tx, user_id)
            if not await store.delete_link(tx, token_hash=token_hash, purpose=LinkPurpose.VERIFY_EMAIL):
                raise link_unusable()
            await store.delete_links_of(tx, user_id, purpose=LinkPurpose.VERIFY_EMAIL)
            if await store.mark_verified(tx, user_id):
                await tx.emit(EmailVerified(user_id=user_id))
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"There is no user {user_id}.")
        return user
