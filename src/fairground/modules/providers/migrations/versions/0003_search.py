"""Keep what is searched of providers, and the spellings of its words."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import BytewiseText, RowNumber

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "catalog_search_document",
        sa.Column("number", RowNumber(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("price_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_catalog_search_document")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_catalog_search_document__provider_id")),
    )
    op.create_table(
        "catalog_search_spelling",
        sa.Column("spelling", BytewiseText(), nullable=False),
        sa.Column("word", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("spelling", "word", name=op.f("pk_catalog_search_spelling")),
    )
