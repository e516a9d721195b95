"""The accounts that were created on a day are counted from an index."""

from alembic import op

revision = "1010"
down_revision = "1001"


def upgrade() -> None:
    op.create_index(op.f("ix_accounts_user__created_at"), "accounts_user", ["created_at"])
