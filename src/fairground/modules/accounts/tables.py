"""Tables of accounts."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP, BytewiseText


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class UserRow(Base):
    __tablename__ = "accounts_user"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("role IN ('customer', 'provider', 'staff', 'admin')", name="role"),
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
        CheckConstraint("email = lower(email)", name="email_is_normalised"),
        # Lists sort by id, newest first, because ids grow with time.
        Index(None, "role", "id"),
        Index(None, "status", "id"),
        Index(None, "status", "role", "id"),
        Index(None, "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    """Empty once the account is closed: no password has this hash."""
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    phone: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    status_version: Mapped[int] = mapped_column(server_default="0")
    """Grows with each change of the status."""
    suspended_at: Mapped[datetime | None]
    suspension_reason: Mapped[str | None] = mapped_column(Text)
    last_signed_in_at: Mapped[datetime | None]


class UserWordRow(Base):
    """A folded word by whose beginning staff find a user: of the name, or the whole address."""

    __tablename__ = "accounts_user_word"
    __table_args__ = (Index(None, "user_id", "word"),)

    word: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_user.id"), primary_key=True)


class EmailChangeRow(Base):
    """The new address of a user, until its link is used or it is given up."""

    __tablename__ = "accounts_email_change"
    __table_args__ = (Index(None, "expires_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_user.id"), primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]


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
        CheckConstraint("purpose IN ('verify_email', 'reset_password', 'change_email')", name="purpose"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_user.id"))
    purpose: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]


history = History(name="accounts", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
