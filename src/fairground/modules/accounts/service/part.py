"""What every part of the service works with."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from fairground.contracts.accounts import LinkUnusable, OpenedSession, Session, SessionKind, User
from fairground.kernel.ids import uuid7
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.service.gate import Gate
from fairground.modules.accounts.service.hashing import PasswordHasher
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database, WriteTx


@dataclass(frozen=True)
class Part:
    db: Database
    gate: Gate
    hasher: PasswordHasher
    well_known_passwords: Collection[str]
    settings: AccountsSettings

    async def open_session(self, tx: WriteTx, *, user: User, kind: SessionKind, name: str) -> OpenedSession:
        """Write down a new session; its secret leaves this function only."""
        now = await tx.current_time()
        lifetime = domain.lifetime_of(self.settings, kind=kind, role=user.role)
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

    async def open_link(self, tx: WriteTx, *, user_id: UUID, purpose: domain.LinkPurpose) -> str:
        """Write down a link that can be used once, and return its token."""
        token = domain.new_secret()
        expires_at = await tx.current_time() + domain.link_lifetime(self.settings, purpose=purpose)
        await store.insert_link(
            tx, token_hash=domain.hash_secret(token), user_id=user_id, purpose=purpose, expires_at=expires_at
        )
        return token


def link_unusable() -> LinkUnusable:
    return LinkUnusable("This link has expired, was used already, or never existed.")
