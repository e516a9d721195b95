"""Keep providers, what they offer, and how they were approved."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import BytewiseText, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "catalog_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("slug", BytewiseText(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("custom_subtitle", sa.Text(), nullable=True),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("profile_picture_url", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("price_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_sort_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("has_hours", sa.Boolean(), nullable=False),
        sa.Column("hours_version", sa.BigInteger(), nullable=False),
        sa.Column("external_source", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("external_hash", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'rejected')", name=op.f("ck_catalog_provider__status")
        ),
        sa.CheckConstraint(
            "(external_source IS NULL) = (external_id IS NULL)", name=op.f("ck_catalog_provider__external")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_provider")),
        sa.UniqueConstraint(
            "external_source", "external_id", name=op.f("uq_catalog_provider__external_source_external_id")
        ),
        sa.UniqueConstraint("owner_id", name=op.f("uq_catalog_provider__owner_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_catalog_provider__slug")),
    )
    op.create_index(
        "ix_catalog_provider__most_booked", "catalog_provider", ["status", sa.literal_column("book_count DESC"), "id"]
    )
    op.create_index(
        "ix_catalog_provider__newest", "catalog_provider", ["status", sa.literal_column("created_at DESC"), "id"]
    )
    op.create_index("ix_catalog_provider__price", "catalog_provider", ["status", "price_sort_minor", "id"])
    op.create_index("ix_catalog_provider__submitted", "catalog_provider", ["status", "submitted_at"])
    op.create_index(
        "ix_catalog_provider__top_rated", "catalog_provider", ["status", sa.literal_column("rating_avg DESC"), "id"]
    )
    op.create_index(
        "ix_catalog_provider__vertical_most_booked",
        "catalog_provider",
        ["status", "vertical", sa.literal_column("book_count DESC"), "id"],
    )
    op.create_index(
        "ix_catalog_provider__vertical_newest",
        "catalog_provider",
        ["status", "vertical", sa.literal_column("created_at DESC"), "id"],
    )
    op.create_index(
        "ix_catalog_provider__vertical_price", "catalog_provider", ["status", "vertical", "price_sort_minor", "id"]
    )
    op.create_index(
        "ix_catalog_provider__vertical_top_rated",
        "catalog_provider",
        ["status", "vertical", sa.literal_column("rating_avg DESC"), "id"],
    )
    op.create_table(
        "catalog_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_approval__provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_approval")),
    )
    op.create_index(op.f("ix_catalog_approval__provider_id"), "catalog_approval", ["provider_id"])
    op.create_table(
        "catalog_provider_category",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_provider_category__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", "category", name=op.f("pk_catalog_provider_category")),
    )
    op.create_index(
        op.f("ix_catalog_provider_category__category_provider_id"),
        "catalog_provider_category",
        ["category", "provider_id"],
    )
    op.create_table(
        "catalog_provider_phrase",
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("phrase", BytewiseText(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("field IN ('name', 'location')", name=op.f("ck_catalog_provider_phrase__field")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_provider_phrase__provider_id")
        ),
        sa.PrimaryKeyConstraint("field", "phrase", "provider_id", name=op.f("pk_catalog_provider_phrase")),
    )
    op.create_index(op.f("ix_catalog_provider_phrase__provider_id"), "catalog_provider_phrase", ["provider_id"])
    op.create_table(
        "catalog_provider_private",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_provider_private__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_catalog_provider_private")),
    )
    op.create_table(
        "catalog_service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("duration_minutes", sa.BigInteger(), nullable=False),
        sa.Column("booking_mode", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("booking_mode IN ('instant', 'request')", name=op.f("ck_catalog_service__booking_mode")),
        sa.CheckConstraint("price_minor > 0", name=op.f("ck_catalog_service__price_minor")),
        sa.ForeignKeyConstraint(["provider_id"], ["catalog_provider.id"], name=op.f("fk_catalog_service__provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_service")),
    )
    op.create_index(op.f("ix_catalog_service__provider_id"), "catalog_service", ["provider_id"])
