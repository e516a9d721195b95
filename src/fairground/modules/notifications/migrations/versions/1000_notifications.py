"""Notifications of users, and whether they were read and mailed."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "notifications_notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("changes_calendar", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_notification")),
        sa.UniqueConstraint(
            "user_id", "topic", "subject_id", "occasion", name="uq_notifications_notification__user_id_topic_subject"
        ),
    )
    op.create_index(
        op.f("ix_notifications_notification__user_id_created_at_id"),
        "notifications_notification",
        ["user_id", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_notifications_notification__user_id_read_at"), "notifications_notification", ["user_id", "read_at"]
    )
