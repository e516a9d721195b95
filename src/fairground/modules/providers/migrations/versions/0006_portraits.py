"""Which picture a provider has chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "catalog_portrait",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("picture_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_portrait__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_catalog_portrait")),
    )
    op.create_index(op.f("ix_catalog_portrait__picture_id"), "catalog_portrait", ["picture_id"])
