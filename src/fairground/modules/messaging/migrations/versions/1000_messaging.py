"""Conversations and their messages."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "messaging_conversation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("provider_owner_id", sa.Uuid(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", UtcDateTime(), nullable=False),
        sa.Column("customer_read_sequence", sa.BigInteger(), nullable=False),
        sa.Column("customer_unread_count", sa.BigInteger(), nullable=False),
        sa.Column("provider_read_sequence", sa.BigInteger(), nullable=False),
        sa.Column("provider_unread_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messaging_conversation")),
        sa.UniqueConstraint(
            "subject_kind", "subject_id", name=op.f("uq_messaging_conversation__subject_kind_subject_id")
        ),
    )
    op.create_index(
        op.f("ix_messaging_conversation__customer_id_last_message_at_id"),
        "messaging_conversation",
        ["customer_id", "last_message_at", "id"],
    )
    op.create_index(
        op.f("ix_messaging_conversation__provider_owner_id_last_message_at_id"),
        "messaging_conversation",
        ["provider_owner_id", "last_message_at", "id"],
    )
    op.create_index(
        "ix_messaging_conversation__customer_unread",
        "messaging_conversation",
        ["customer_id"],
        **only_where("customer_unread_count > 0"),
    )
    op.create_index(
        "ix_messaging_conversation__provider_unread",
        "messaging_conversation",
        ["provider_owner_id"],
        **only_where("provider_unread_count > 0"),
    )
    op.create_table(
        "messaging_message",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("client_message_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("side IN ('customer', 'provider')", name=op.f("ck_messaging_message__side")),
        sa.PrimaryKeyConstraint("conversation_id", "sequence", name=op.f("pk_messaging_message")),
        sa.UniqueConstraint(
            "conversation_id", "sender_id", "client_message_id", name="uq_messaging_message__client_message_id"
        ),
    )
