"""Give each job a queue and a priority, which an earlier due time stood for until now."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import UtcDateTime

revision = "0002"
down_revision = "0001"

_HIGH = 10
_NORMAL = 100


def upgrade() -> None:
    # Neither database rewrites or rebuilds the table for a constant default; and only as a part of its column can
    # both of them add a constraint.
    op.execute("ALTER TABLE jobs_job ADD COLUMN queue TEXT DEFAULT 'default' NOT NULL")
    op.execute(
        f"ALTER TABLE jobs_job ADD COLUMN priority SMALLINT DEFAULT {_NORMAL} NOT NULL"
        f" CONSTRAINT ck_jobs_job__priority CHECK (priority IN ({_HIGH}, {_NORMAL}))"
    )
    _prioritise_back_dated()
    op.drop_index("ix_jobs_job__ready", "jobs_job")
    op.create_index(
        "ix_jobs_job__ready", "jobs_job", ["queue", "priority", "run_at", "id"], **only_where("state = 'ready'")
    )


def _prioritise_back_dated() -> None:
    """Jobs that went before others were written as due before they existed: they were due when they were written."""
    job = sa.table(
        "jobs_job",
        sa.column("state"),
        sa.column("priority"),
        sa.column("run_at", UtcDateTime()),
        sa.column("created_at", UtcDateTime()),
    )
    back_dated = sa.update(job).where(job.c.state.in_(["ready", "running"]), job.c.run_at < job.c.created_at)
    op.get_bind().execute(back_dated.values(priority=_HIGH, run_at=job.c.created_at))
