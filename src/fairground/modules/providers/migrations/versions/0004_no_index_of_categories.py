"""Drop an index that nobody asks any more, since categories have list entries."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_catalog_provider_category__category_provider_id", "catalog_provider_category")
