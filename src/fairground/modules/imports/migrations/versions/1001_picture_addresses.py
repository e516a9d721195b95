"""Pictures that rows name by address."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import NAMING_CONVENTION

revision = "1001"
down_revision = "1000"

_TABLE = "imports_embedded_picture"
_CHANGED = {
    "state": "state IN ('waiting', 'fetching', 'taken', 'migrated', 'failed')",
    "content": "(content IS NULL) = (state = 'migrated' OR url IS NOT NULL)",
    "migration": "(migration_id IS NULL) = (state = 'waiting' OR url IS NOT NULL)",
}


def _before() -> sa.Table:
    """Return the table as revision 1000 left it: batch mode would lose the checks of a table that it reads itself."""
    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    sa.Table("imports_picture_migration", metadata, sa.Column("id", sa.Uuid(), primary_key=True))
    return sa.Table(
        _TABLE,
        metadata,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), sa.ForeignKey("imports_picture_migration.id")),
        sa.Column("failure_code", sa.Text()),
        sa.Column("failure_detail", sa.Text()),
        sa.CheckConstraint("(content IS NULL) = (state = 'migrated')", name="content"),
        sa.CheckConstraint("(failure_code IS NOT NULL) = (state = 'failed')", name="failure"),
        sa.CheckConstraint("(migration_id IS NULL) = (state = 'waiting')", name="migration"),
        sa.CheckConstraint("place IN ('portrait', 'portfolio', 'service')", name="place"),
        sa.CheckConstraint("state IN ('waiting', 'taken', 'migrated', 'failed')", name="state"),
        sa.UniqueConstraint("provider_id", "place", "digest"),
        sa.Index(None, "migration_id", "state"),
        sa.Index(None, "state", "place", "id"),
    )


def upgrade() -> None:
    with op.batch_alter_table(_TABLE, copy_from=_before()) as batch:
        batch.add_column(sa.Column("url", sa.Text()))
        batch.add_column(sa.Column("content_digest", sa.Text()))
        batch.add_column(sa.Column("replaces_id", sa.Uuid()))
        for name, condition in _CHANGED.items():
            batch.drop_constraint(op.f(f"ck_{_TABLE}__{name}"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{_TABLE}__{name}"), sa.text(condition))
        batch.create_check_constraint(
            op.f(f"ck_{_TABLE}__url"), sa.text("(url IS NOT NULL) OR (state <> 'fetching' AND replaces_id IS NULL)")
        )
