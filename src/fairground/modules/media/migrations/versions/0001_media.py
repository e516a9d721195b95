"""Pictures, the files that they are, and what was made of these."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "0001"
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
    _create_pictures()
    op.create_table(
        "media_rendition",
        sa.Column("original_digest", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("original_digest", "recipe", name=op.f("pk_media_rendition")),
        sa.ForeignKeyConstraint(
            ["original_digest"], ["media_original.digest"], name=op.f("fk_media_rendition__original_digest")
        ),
    )
    op.create_index(op.f("ix_media_rendition__key"), "media_rendition", ["key"])


def _create_pictures() -> None:
    op.create_table(
        "media_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("upload_key", sa.Text(), nullable=True),
        sa.Column("original_digest", sa.Text(), nullable=True),
        sa.Column("refusal_code", sa.Text(), nullable=True),
        sa.Column("refusal_detail", sa.Text(), nullable=True),
        sa.Column("refusal_hint", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('awaited', 'processing', 'ready', 'refused')", name=op.f("ck_media_picture__state")
        ),
        sa.CheckConstraint(
            "(original_digest IS NOT NULL) = (state IN ('processing', 'ready'))",
            name=op.f("ck_media_picture__original"),
        ),
        sa.CheckConstraint("(upload_key IS NOT NULL) = (state = 'awaited')", name=op.f("ck_media_picture__upload")),
        sa.CheckConstraint("(refusal_code IS NOT NULL) = (state = 'refused')", name=op.f("ck_media_picture__refusal")),
        sa.ForeignKeyConstraint(
            ["original_digest"], ["media_original.digest"], name=op.f("fk_media_picture__original_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_picture")),
    )
    for columns in (["owner_id", "state", "created_at"], ["state", "created_at"], ["original_digest"]):
        op.create_index(op.f(f"ix_media_picture__{'_'.join(columns)}"), "media_picture", columns)
