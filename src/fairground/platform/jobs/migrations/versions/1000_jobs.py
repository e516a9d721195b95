"""Messages until their consumers have handled them, and when scheduled jobs are due next."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import BUSY_TABLE, only_where
from fairground.platform.db.types import Json, UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "jobs_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), server_default="default", nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("100"), nullable=False),
        sa.Column("payload", Json, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("dedup_key", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('ready', 'running', 'done', 'dead')", name=op.f("ck_jobs_job__state")),
        sa.CheckConstraint("priority IN (10, 100)", name=op.f("ck_jobs_job__priority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs_job")),
        **BUSY_TABLE,
    )
    op.create_index(
        "ix_jobs_job__finished", "jobs_job", ["state", "finished_at", "id"], **only_where("finished_at IS NOT NULL")
    )
    op.create_index(
        "ix_jobs_job__ready", "jobs_job", ["queue", "priority", "run_at", "id"], **only_where("state = 'ready'")
    )
    op.create_index("ix_jobs_job__running", "jobs_job", ["id"], **only_where("state = 'running'"))
    op.create_index(
        "uq_jobs_job__dedup_key",
        "jobs_job",
        ["kind", "dedup_key"],
        unique=True,
        **only_where("dedup_key IS NOT NULL AND state IN ('ready', 'running')"),
    )
    op.create_table(
        "jobs_schedule",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_jobs_schedule")),
    )
