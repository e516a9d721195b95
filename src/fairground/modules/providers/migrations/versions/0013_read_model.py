"""Give lists and search their own copy of providers, and drop from the providers what only lists need.

The copies are made at the first start: the read model is rebuilt where it has none.
"""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "0013"
down_revision = "0012"

_OF_LISTS = ("folded_location", "lat_band", "x", "y", "z", "price_sort_minor", "open_days")


def upgrade() -> None:
    op.create_table(
        "catalog_listed_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("profile_picture_url", sa.Text(), nullable=True),
        sa.Column("custom_subtitle", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("price_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_listed_provider")),
    )
    for column in _OF_LISTS:
        op.drop_column("catalog_provider", column)
    op.add_column("catalog_provider", sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"))
