"""The read model of lists and search."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import READ_FROM_INDEXES
from fairground.platform.db.types import BytewiseText, RowNumber, UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "discovery_day",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_start", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "day", name=op.f("pk_discovery_day")),
    )
    op.create_table(
        "discovery_list_entry",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("scope", BytewiseText(), nullable=False),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("price_sort_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_days", sa.BigInteger(), nullable=False),
        sa.Column("folded_location", BytewiseText(), nullable=False),
        sa.Column("lat_band", sa.BigInteger(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "scope", name=op.f("pk_discovery_list_entry")),
        **READ_FROM_INDEXES,
    )
    op.create_index(
        "ix_discovery_list_entry__location",
        "discovery_list_entry",
        [
            "scope",
            "folded_location",
            "provider_id",
            "book_count",
            "rating_avg",
            "created_at",
            "price_sort_minor",
            "open_days",
        ],
    )
    op.create_index(
        "ix_discovery_list_entry__most_booked",
        "discovery_list_entry",
        ["scope", "book_count", "provider_id", "price_sort_minor", "rating_avg", "open_days", "folded_location"],
    )
    op.create_index(
        "ix_discovery_list_entry__near",
        "discovery_list_entry",
        [
            "scope",
            "lat_band",
            "lng",
            "provider_id",
            "x",
            "y",
            "z",
            "book_count",
            "rating_avg",
            "created_at",
            "price_sort_minor",
            "open_days",
        ],
    )
    op.create_index(
        "ix_discovery_list_entry__newest",
        "discovery_list_entry",
        ["scope", "created_at", "provider_id", "price_sort_minor", "rating_avg", "open_days", "folded_location"],
    )
    op.create_index(
        "ix_discovery_list_entry__price",
        "discovery_list_entry",
        ["scope", "price_sort_minor", "provider_id", "rating_avg", "open_days", "folded_location"],
    )
    op.create_index(
        "ix_discovery_list_entry__top_rated",
        "discovery_list_entry",
        ["scope", "rating_avg", "provider_id", "price_sort_minor", "open_days", "folded_location"],
    )
    op.create_table(
        "discovery_listed_provider",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovery_listed_provider")),
    )
    op.create_table(
        "discovery_location_phrase",
        sa.Column("phrase", BytewiseText(), nullable=False),
        sa.Column("folded_location", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("phrase", "folded_location", name=op.f("pk_discovery_location_phrase")),
    )
    op.create_table(
        "discovery_name_phrase",
        sa.Column("phrase", BytewiseText(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("phrase", "provider_id", name=op.f("pk_discovery_name_phrase")),
    )
    op.create_index(op.f("ix_discovery_name_phrase__provider_id"), "discovery_name_phrase", ["provider_id"])
    op.create_table(
        "discovery_price_band",
        sa.Column("scope", BytewiseText(), nullable=False),
        sa.Column("from_minor", sa.BigInteger(), nullable=False),
        sa.Column("providers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "from_minor", name=op.f("pk_discovery_price_band")),
    )
    op.create_table(
        "discovery_search_document",
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
        sa.Column("open_days", sa.BigInteger(), server_default="-1", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_discovery_search_document")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_discovery_search_document__provider_id")),
    )
    op.create_table(
        "discovery_search_spelling",
        sa.Column("spelling", BytewiseText(), nullable=False),
        sa.Column("word", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("spelling", "word", name=op.f("pk_discovery_search_spelling")),
    )
    op.create_table(
        "discovery_week",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("last_starts", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_discovery_week")),
    )
    op.execute("INSERT INTO discovery_price_band (scope, from_minor, providers) VALUES ('', -1, 0)")
