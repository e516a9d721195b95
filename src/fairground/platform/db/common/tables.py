"""Tables of the platform itself."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class IdempotencyRow(Base):
    """What became of a request that carried an Idempotency-Key."""

    __tablename__ = "common_idempotency"
    __table_args__ = (
        CheckConstraint("state IN ('started', 'effective', 'answered')", name="state"),
        Index(None, "started_at"),
    )

    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    claim_id: Mapped[UUID]
    """Changes when a repeated request takes over from one that died, so that the first one writes nothing later."""
    state: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class LimitRow(Base):
    """How far the attempts of one key run ahead of the clock (GCRA's theoretical arrival time)."""

    __tablename__ = "common_limit"
    __table_args__ = (Index(None, "free_at"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    free_at: Mapped[datetime]
    """When every past attempt is forgotten; a row with a time in the past has no effect."""


class LimitRefusalRow(Base):
    """How often a key of a rate limit was refused. Deleted seven days after the last time."""

    __tablename__ = "common_limit_refusal"
    __table_args__ = (Index(None, "last_at"),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """Of the limit."""
    key_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    refusals: Mapped[int]
    last_at: Mapped[datetime]


class AuditEntryRow(Base):
    """An entry of the audit trail. The database refuses to change or delete it (`dialect/guards.py`)."""

    __tablename__ = "common_audit_entry"
    __table_args__ = (
        CheckConstraint("(subject_kind IS NULL) = (subject_id IS NULL)", name="subject"),
        Index("ix_common_audit_entry__time", "acted_at", "id"),
        Index("ix_common_audit_entry__subject", "subject_kind", "subject_id", "acted_at", "id"),
        Index("ix_common_audit_entry__actor", "actor", "acted_at", "id"),
        Index("ix_common_audit_entry__action", "action", "acted_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    acted_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    """`user …` with the account's id, or `command, …` with the system's user."""
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str | None] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    changes: Mapped[dict[str, Any]]
    """Of each changed field a list of the old value and the new one."""
    reason: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]]


history = History(name="common", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
