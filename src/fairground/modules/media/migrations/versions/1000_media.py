"""Pictures, the files that they are, and what was made of these."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "media_original",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rendered_at", UtcDateTime(), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=True),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_media_original")),
        sa.UniqueConstraint("key", name=op.f("uq_media_original__key")),
    )
    op.create_table(
        "media_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("alt_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("upload_key", sa.Text(), nullable=True),
        sa.Column("original_digest", sa.Text(), nullable=True),
        sa.Column("refusal_code", sa.Text(), nullable=True),
        sa.Column("refusal_detail", sa.Text(), nullable=True),
        sa.Column("refusal_hint", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(original_digest IS NOT NULL) = (state IN ('processing', 'ready'))",
            name=op.f("ck_media_picture__original"),
        ),
        sa.CheckConstraint("(refusal_code IS NOT NULL) = (state = 'refused')", name=op.f("ck_media_picture__refusal")),
        sa.CheckConstraint("(upload_key IS NOT NULL) = (state = 'awaited')", name=op.f("ck_media_picture__upload")),
        sa.CheckConstraint(
            "state IN ('awaited', 'processing', 'ready', 'refused')", name=op.f("ck_media_picture__state")
        ),
        sa.ForeignKeyConstraint(
            ["original_digest"], ["media_original.digest"], name=op.f("fk_media_picture__original_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_picture")),
    )
    op.create_index(op.f("ix_media_picture__original_digest"), "media_picture", ["original_digest"])
    op.create_index(
        op.f("ix_media_picture__owner_id_state_created_at"), "media_picture", ["owner_id", "state", "created_at"]
    )
    op.create_index(op.f("ix_media_picture__state_created_at"), "media_picture", ["state", "created_at"])
    op.create_table(
        "media_rendition",
        sa.Column("original_digest", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["original_digest"], ["media_original.digest"], name=op.f("fk_media_rendition__original_digest")
        ),
        sa.PrimaryKeyConstraint("original_digest", "recipe", name=op.f("pk_media_rendition")),
    )
    op.create_index(op.f("ix_media_rendition__key"), "media_rendition", ["key"])
