"""Tables of accounts."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class UserRow(Base):
    __tablename__ = "accounts_user"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("role IN ('customer', 'provider', 'admin')", name="role"),
        CheckConstraint("email = lower(email)", name="email_is_normalised"),
        # Lists sort by id, newest first, because ids grow with time.
        Index(None, "role", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SessionRow(Base):
    """A session is live until `expires_at`. Ending it deletes its row."""

    __tablename__ = "accounts_session"
    __table_args__ = (
        UniqueConstraint("secret_hash"),
        CheckConstraint("kind IN ('browser', 'token')", name="kind"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_user.id"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """The latest `expires_at` that any use can lead to."""


class LinkRow(Base):
    """A mailed link that can be used once, until it expires."""

    __tablename__ = "accounts_link"
    __table_args__ = (
        CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="purpose"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_user.id"))
    purpose: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]


history = History(name="accounts", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
