"""Emails of accounts, each with a link that can be used once: verification of the address, and a new password.

An email is sent by a job. Its token is made when the email is sent, so that no message in the job table carries one.
"""

from datetime import timedelta
from email.message import EmailMessage
from html import escape
from typing import ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fairground.contracts.accounts import EmailVerified, User, UserNotFound
from fairground.kernel.messages import Job, Priority, Queue
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.domain import LinkPurpose
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.store import own_accounts
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.mail.mailer import Mailer
from fairground.platform.mail.message import compose_message


class MailVerification(Job):
    topic: ClassVar = "accounts.mail_verification.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID
    next_path: str = ""
    """The page of this site to which the page of the link leads on."""


class MailReset(Job):
    topic: ClassVar = "accounts.mail_reset.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID


class MailNewEmail(Job):
    """A link to the new address of a user, which confirms it."""

    topic: ClassVar = "accounts.mail_new_email.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID


class MailEmailNotice(Job):
    """A notice to the present address of a user, that another one was asked for."""

    topic: ClassVar = "accounts.mail_email_notice.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID


class EmailVerification:
    def __init__(self, *, db: Database, attempts: AttemptLimiter) -> None:
        self._db = db
        self._attempts = attempts

    async def send_verification(self, *, user_id: UUID, next_path: str = "") -> None:
        async with self._db.read() as tx:
            user = await store.find_user(tx, user_id)
        if user is None:
            raise UserNotFound(f"User {user_id} does not exist.")
        if user.email_verified:
            return
        await self._attempts.admit_verification(user_id=user_id)
        async with self._db.write() as tx:
            await tx.enqueue(MailVerification(user_id=user_id, next_path=next_path), dedup_key=str(user_id))

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
            raise UserNotFound(f"User {user_id} does not exist.")
        return user


class AccountEmails:
    """Sends emails at least once: each repetition carries a link of its own, and each link works."""

    def __init__(self, *, db: Database, mailer: Mailer, settings: AccountsSettings, public_url: str) -> None:
        self._db = db
        self._mailer = mailer
        self._settings = settings
        self._public_url = public_url.rstrip("/")

    async def send_verification(self, job: MailVerification) -> None:
        opened = await self.open_verification_link(user_id=job.user_id)
        if opened is None:
            return
        user, token = opened
        lasts = domain.link_lifetime(self._settings, purpose=LinkPurpose.VERIFY_EMAIL)
        query = {"token": token} | ({"next": job.next_path} if job.next_path else {})
        link = f"{self._public_url}/verify-email?{urlencode(query)}"
        await self._mailer.send(_verification_email(user, link=link, lasts=lasts))

    async def send_reset(self, job: MailReset) -> None:
        opened = await self.open_reset_link(user_id=job.user_id)
        if opened is None:
            return
        user, token = opened
        lasts = domain.link_lifetime(self._settings, purpose=LinkPurpose.RESET_PASSWORD)
        link = f"{self._public_url}/reset-password?token={token}"
        await self._mailer.send(_reset_email(user, link=link, lasts=lasts))

    async def send_new_email(self, job: MailNewEmail) -> None:
        opened = await self.open_change_link(user_id=job.user_id)
        if opened is None:
            return
        user, token = opened
        lasts = domain.link_lifetime(self._settings, purpose=LinkPurpose.CHANGE_EMAIL)
        link = f"{self._public_url}/change-email?token={token}"
        await self._mailer.send(_new_email_email(user, link=link, lasts=lasts))

    async def send_email_notice(self, job: MailEmailNotice) -> None:
        async with self._db.read() as tx:
            user = await store.find_user(tx, job.user_id)
            new_email = await own_accounts.find_new_email(tx, job.user_id)
        if user is not None and new_email is not None:
            link = f"{self._public_url}/me/settings"
            await self._mailer.send(_email_notice(user, new_email=new_email, link=link))

    async def open_change_link(self, *, user_id: UUID) -> tuple[User, str] | None:
        """Return the user with the new address, and a token that confirms it; None if no change waits."""
        async with self._db.write() as tx:
            # Locked, so that a link is not made while its change is cancelled.
            locked = await store.lock_credentials(tx, user_id)
            new_email = await own_accounts.find_new_email(tx, user_id)
            if locked is None or new_email is None:
                return None
            token = await self._open_link(tx, user_id=user_id, purpose=LinkPurpose.CHANGE_EMAIL)
        return locked.user.model_copy(update={"email": new_email}), token

    async def open_verification_link(self, *, user_id: UUID) -> tuple[User, str] | None:
        """Return the user and a token that verifies the address; None if there is nothing to verify."""
        async with self._db.write() as tx:
            user = await store.find_user(tx, user_id)
            if user is None or user.email_verified:
                return None
            return user, await self._open_link(tx, user_id=user_id, purpose=LinkPurpose.VERIFY_EMAIL)

    async def open_reset_link(self, *, user_id: UUID) -> tuple[User, str] | None:
        """Return the user and a token that sets a new password; None if there is no such user."""
        async with self._db.write() as tx:
            user = await store.find_user(tx, user_id)
            if user is None:
                return None
            return user, await self._open_link(tx, user_id=user_id, purpose=LinkPurpose.RESET_PASSWORD)

    async def _open_link(self, tx: WriteTx, *, user_id: UUID, purpose: LinkPurpose) -> str:
        """Store a link that can be used once, and return its token."""
        token = domain.new_secret()
        expires_at = await tx.current_time() + domain.link_lifetime(self._settings, purpose=purpose)
        await store.insert_link(
            tx, token_hash=domain.hash_secret(token), user_id=user_id, purpose=purpose, expires_at=expires_at
        )
        return token


def _verification_email(user: User, *, link: str, lasts: timedelta) -> EmailMessage:
    return _email(
        user,
        subject="Confirm your email address",
        before=f"Thanks for signing up! Confirm your email address within {_in_words(lasts)}:",
        link=link,
        after="If this wasn't you, you can ignore this email.",
    )


def _new_email_email(user: User, *, link: str, lasts: timedelta) -> EmailMessage:
    return _email(
        user,
        subject="Confirm your new email address",
        before=f"You asked to change your email to this address. Confirm it within {_in_words(lasts)}:",
        link=link,
        after="Nothing changes until you do. If this wasn't you, you can ignore this email.",
    )


def _email_notice(user: User, *, new_email: str, link: str) -> EmailMessage:
    return _email(
        user,
        subject="Your email address is about to change",
        before=f"Your account will switch to {new_email} once that address is confirmed. You can cancel this here:",
        link=link,
        after="If this wasn't you, cancel the change and change your password right away: someone else knows it.",
    )


def _reset_email(user: User, *, link: str, lasts: timedelta) -> EmailMessage:
    return _email(
        user,
        subject="Reset your password",
        before=f"You asked to reset your password. Choose a new one within {_in_words(lasts)}:",
        link=link,
        after="If this wasn't you, you can ignore this email. Your password stays the same.",
    )


def _email(user: User, *, subject: str, before: str, link: str, after: str) -> EmailMessage:
    text = f"Hi {user.name},\n\n{before}\n\n{link}\n\n{after}\n"
    html = "".join(
        f"<p>{part}</p>"
        for part in (
            f"Hi {escape(user.name)},",
            escape(before),
            f'<a href="{escape(link)}">{escape(link)}</a>',
            escape(after),
        )
    )
    return compose_message(to=user.email, subject=subject, text=text, html=html)


def _in_words(duration: timedelta) -> str:
    hours, minutes = duration // timedelta(hours=1), duration // timedelta(minutes=1)
    if hours >= 48:  # noqa: PLR2004 - "2 days" is easier than "48 hours"
        return f"{hours // 24} days"
    return f"{hours} hours" if hours > 1 else f"{minutes} minutes"
