"""Staff list the e-mails to all accounts, the newest first."""

from alembic import op

revision = "1010"
down_revision = "1000"


def upgrade() -> None:
    op.create_index(
        op.f("ix_notifications_notification__created_at_id"), "notifications_notification", ["created_at", "id"]
    )
