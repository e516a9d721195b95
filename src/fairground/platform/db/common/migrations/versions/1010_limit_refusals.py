"""Staff see who was limited, where, and how often."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1010"
down_revision = "1001"


def upgrade() -> None:
    op.create_table(
        "common_limit_refusal",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key_hash", name=op.f("pk_common_limit_refusal")),
    )
    op.create_index(op.f("ix_common_limit_refusal__last_at"), "common_limit_refusal", ["last_at"])
