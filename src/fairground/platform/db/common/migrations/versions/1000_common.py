"""Answers of requests with an idempotency key, limits, and acts of operators."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import Json, UtcDateTime

revision = "1000"
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
    op.create_table(
        "common_limit",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("free_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_common_limit")),
    )
    op.create_index(op.f("ix_common_limit__free_at"), "common_limit", ["free_at"])
    op.create_table(
        "common_operator_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("acted_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_common_operator_act")),
    )
    op.create_index(op.f("ix_common_operator_act__act_acted_at"), "common_operator_act", ["act", "acted_at"])
