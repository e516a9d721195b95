"""Remember what became of requests that carry an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "common_idempotency",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('started', 'effective', 'answered')", name=op.f("ck_common_idempotency__state")),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_common_idempotency")),
    )
    op.create_index(op.f("ix_common_idempotency__started_at"), "common_idempotency", ["started_at"])
