"""Providers, their services, approval, portraits and galleries."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import BytewiseText, UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "providers_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("slug", BytewiseText(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("custom_subtitle", sa.Text(), nullable=True),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("timezone_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("profile_picture_url", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("price_from_minor", sa.BigInteger(), nullable=True),
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
            "status IN ('draft', 'submitted', 'approved', 'rejected')", name=op.f("ck_providers_provider__status")
        ),
        sa.CheckConstraint(
            "(external_source IS NULL) = (external_id IS NULL)", name=op.f("ck_providers_provider__external")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers_provider")),
        sa.UniqueConstraint(
            "external_source", "external_id", name=op.f("uq_providers_provider__external_source_external_id")
        ),
        sa.UniqueConstraint("owner_id", name=op.f("uq_providers_provider__owner_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_providers_provider__slug")),
    )
    op.create_index("ix_providers_provider__submitted", "providers_provider", ["status", "submitted_at"])
    op.create_table(
        "providers_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_approval__provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers_approval")),
    )
    op.create_index(op.f("ix_providers_approval__provider_id"), "providers_approval", ["provider_id"])
    op.create_table(
        "providers_gallery",
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
            name=op.f("ck_providers_gallery__look"),
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_gallery__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", "picture_id", name=op.f("pk_providers_gallery")),
        sa.UniqueConstraint("provider_id", "position", name=op.f("uq_providers_gallery__provider_id_position")),
    )
    op.create_index(op.f("ix_providers_gallery__picture_id"), "providers_gallery", ["picture_id"])
    op.create_table(
        "providers_portrait",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("picture_id", sa.Uuid(), nullable=False),
        sa.Column("shown_picture_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_portrait__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_providers_portrait")),
    )
    op.create_index(op.f("ix_providers_portrait__picture_id"), "providers_portrait", ["picture_id"])
    op.create_index(op.f("ix_providers_portrait__shown_picture_id"), "providers_portrait", ["shown_picture_id"])
    op.create_table(
        "providers_provider_category",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_provider_category__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", "category", name=op.f("pk_providers_provider_category")),
    )
    op.create_table(
        "providers_provider_private",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_provider_private__provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_providers_provider_private")),
    )
    op.create_table(
        "providers_service",
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
        sa.CheckConstraint("booking_mode IN ('instant', 'request')", name=op.f("ck_providers_service__booking_mode")),
        sa.CheckConstraint("price_minor > 0", name=op.f("ck_providers_service__price_minor")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_service__provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers_service")),
    )
    op.create_index(op.f("ix_providers_service__provider_id"), "providers_service", ["provider_id"])
