"""The pictures that a provider shows on its page."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "catalog_gallery",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("picture_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("alt_version", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("width_px", sa.BigInteger(), nullable=True),
        sa.Column("height_px", sa.BigInteger(), nullable=True),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(url IS NULL) = (width_px IS NULL) AND (url IS NULL) = (height_px IS NULL)"
            " AND (url IS NULL) = (colour IS NULL) AND (url IS NULL) = (placeholder IS NULL)",
            name=op.f("ck_catalog_gallery__look"),
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_gallery__provider_id")),
        sa.PrimaryKeyConstraint("provider_id", "picture_id", name=op.f("pk_catalog_gallery")),
        sa.UniqueConstraint("provider_id", "position", name=op.f("uq_catalog_gallery__provider_id_position")),
    )
    op.create_index(op.f("ix_catalog_gallery__picture_id"), "catalog_gallery", ["picture_id"])
