"""Embedded pictures, and the runs that make them into files."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "imports_picture_migration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports_picture_migration")),
    )
    op.create_index(
        op.f("ix_imports_picture_migration__subject_started_at"), "imports_picture_migration", ["subject", "started_at"]
    )
    op.create_index(
        "uq_imports_picture_migration__running",
        "imports_picture_migration",
        ["subject"],
        unique=True,
        **only_where("finished_at IS NULL"),
    )
    op.create_table(
        "imports_embedded_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(content IS NULL) = (state = 'migrated')", name=op.f("ck_imports_embedded_picture__content")
        ),
        sa.CheckConstraint(
            "(failure_code IS NOT NULL) = (state = 'failed')", name=op.f("ck_imports_embedded_picture__failure")
        ),
        sa.CheckConstraint(
            "(migration_id IS NULL) = (state = 'waiting')", name=op.f("ck_imports_embedded_picture__migration")
        ),
        sa.CheckConstraint(
            "place IN ('portrait', 'portfolio', 'service')", name=op.f("ck_imports_embedded_picture__place")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'migrated', 'failed')", name=op.f("ck_imports_embedded_picture__state")
        ),
        sa.ForeignKeyConstraint(
            ["migration_id"], ["imports_picture_migration.id"], name=op.f("fk_imports_embedded_picture__migration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports_embedded_picture")),
        sa.UniqueConstraint(
            "provider_id", "place", "digest", name=op.f("uq_imports_embedded_picture__provider_id_place_digest")
        ),
    )
    op.create_index(
        op.f("ix_imports_embedded_picture__migration_id_state"), "imports_embedded_picture", ["migration_id", "state"]
    )
    op.create_index(
        op.f("ix_imports_embedded_picture__state_place_id"), "imports_embedded_picture", ["state", "place", "id"]
    )
