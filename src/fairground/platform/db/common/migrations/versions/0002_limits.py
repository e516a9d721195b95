"""Count tries, so that passwords cannot be guessed and mailboxes cannot be flooded."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "common_limit",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("free_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_common_limit")),
    )
    op.create_index(op.f("ix_common_limit__free_at"), "common_limit", ["free_at"])
