"""Tables of the messaging module."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class ConversationRow(Base):
    """A conversation. Its row is locked while a message gets its sequence, and while a side marks messages as read."""

    __tablename__ = "messaging_conversation"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id"),
        Index(None, "customer_id", "last_message_at", "id"),
        Index(None, "provider_owner_id", "last_message_at", "id"),
        # The conversations with unread messages, which are few, for the number in the menu.
        Index("ix_messaging_conversation__customer_unread", "customer_id", **only_where("customer_unread_count > 0")),
        Index(
            "ix_messaging_conversation__provider_unread",
            "provider_owner_id",
            **only_where("provider_unread_count > 0"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    provider_owner_id: Mapped[UUID]
    last_sequence: Mapped[int]
    last_message_at: Mapped[datetime]
    customer_read_sequence: Mapped[int]
    customer_unread_count: Mapped[int]
    """Messages of the provider after `customer_read_sequence`; always equal to a recount."""
    provider_read_sequence: Mapped[int]
    provider_unread_count: Mapped[int]


class MessageRow(Base):
    """A message. Every key begins with the conversation, so that the table can be partitioned by it."""

    __tablename__ = "messaging_message"
    __table_args__ = (
        # A message that is sent twice is stored once.
        UniqueConstraint(
            "conversation_id", "sender_id", "client_message_id", name="uq_messaging_message__client_message_id"
        ),
        CheckConstraint("side IN ('customer', 'provider')", name="side"),
    )

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(Text)
    sender_id: Mapped[UUID]
    client_message_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


history = History(name="messaging", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
