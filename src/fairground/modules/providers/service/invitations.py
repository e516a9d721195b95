"""Invitations: a mailed link makes its holder the owner of an unclaimed provider.

An email is sent by a job. Its token is made when the email is sent, so that no message in the job table carries one.
"""

import hashlib
import re
import secrets
from datetime import timedelta
from email.message import EmailMessage
from html import escape
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.providers import ProviderRef, ProviderStatus
from fairground.contracts.providers.claims import INVITATION_DAYS, Invitation, InvitationUnusable
from fairground.kernel.messages import Job, Queue
from fairground.modules.providers.service.claims import Ownership, profile_exists
from fairground.modules.providers.store import claims as store
from fairground.modules.providers.store import profiles
from fairground.platform.db.database import Database
from fairground.platform.mail.mailer import Mailer
from fairground.platform.mail.message import compose_message

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 random bits


class MailInvitation(Job):
    topic: ClassVar = "providers.mail_invitation.v1"
    queue: ClassVar = Queue.MAIL
    max_attempts: ClassVar = 40  # with the delays between them, 14 to 29 hours without a mail server
    provider_id: UUID


class Invitations:
    def __init__(self, *, db: Database, mailer: Mailer, ownership: Ownership, public_url: str) -> None:
        """`public_url` has no slash at its end."""
        self._db = db
        self._mailer = mailer
        self._ownership = ownership
        self._public_url = public_url

    async def invite_owners(self) -> int:
        count, after = 0, None
        while True:
            async with self._db.write() as tx:
                found = await store.list_uninvited_after(tx, after)
                for provider_id in found:
                    await tx.enqueue(MailInvitation(provider_id=provider_id), dedup_key=str(provider_id))
            if not found:
                return count
            count, after = count + len(found), found[-1]

    async def on_mail_invitation(self, job: MailInvitation) -> None:
        token = secrets.token_urlsafe(32)
        async with self._db.write() as tx:
            provider = await profiles.find_ref(tx, job.provider_id)
            email = await store.find_contact_email(tx, job.provider_id)
            if provider is None or email is None or not _can_be_claimed(provider):
                return
            await store.delete_expired_invitations_of(tx, job.provider_id)
            expires_at = await tx.current_time() + timedelta(days=INVITATION_DAYS)
            await store.insert_invitation(
                tx, token_hash=_hash(token), provider_id=job.provider_id, email=email, expires_at=expires_at
            )
        link = f"{self._public_url}/claim?token={token}"
        page = f"{self._public_url}/p/{provider.slug}"
        await self._mailer.send(_email(provider, to=email, link=link, page=page))

    async def get_invitation(self, *, token: str) -> Invitation:
        async with self._db.read() as tx:
            found = await store.find_invitation(tx, token_hash=_hash(token)) if _TOKEN.fullmatch(token) else None
        if found is None:
            raise _unusable()
        return found

    async def accept_invitation(self, *, user_id: UUID, token: str) -> ProviderRef:
        invitation = await self.get_invitation(token=token)
        owner = await self._ownership.prepare_owner(user_id=user_id)
        try:
            async with self._db.write() as tx:
                # A provider is locked before its invitations wherever both change.
                await profiles.lock_provider(tx, invitation.provider_id)
                if not await store.delete_invitation(tx, token_hash=_hash(token)):
                    raise _unusable()
                return await self._ownership.set_owner(tx, invitation.provider_id, owner=owner)
        except store.OwnerTaken:
            raise profile_exists() from None


def _can_be_claimed(provider: ProviderRef) -> bool:
    return provider.owner_id is None and provider.status is ProviderStatus.APPROVED


def _hash(token: str) -> bytes:
    """Return the hash that is stored. A fast hash is enough for 256 random bits, which cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def _unusable() -> InvitationUnusable:
    return InvitationUnusable("This link has expired or was already used.")


def _email(provider: ProviderRef, *, to: str, link: str, page: str) -> EmailMessage:
    name = provider.business_name
    before = f"{name} has a page here: {page}"
    ask = (
        "We created it from a public list, and it can't be booked yet. Claim it to set your hours, edit the text and "
        f"take bookings. The link works once, for {INVITATION_DAYS} days:"
    )
    after = "If this isn't your page, you can ignore this email."
    text = f"Hi {name},\n\n{before}\n\n{ask}\n\n{link}\n\n{after}\n"
    parts = (escape(f"Hi {name},"), escape(before), escape(ask), f'<a href="{escape(link)}">{escape(link)}</a>')
    html = "".join(f"<p>{part}</p>" for part in (*parts, escape(after)))
    return compose_message(to=to, subject=f"Claim your page: {name}", text=text, html=html)
