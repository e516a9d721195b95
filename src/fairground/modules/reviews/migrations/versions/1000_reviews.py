"""Reviews, and what they add up to for a provider."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "reviews_provider_figures",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_reviews_provider_figures")),
    )
    op.create_table(
        "reviews_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("side IN ('customer', 'provider')", name=op.f("ck_reviews_review__side")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_review__rating")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews_review")),
        sa.UniqueConstraint("booking_id", "side", name=op.f("uq_reviews_review__booking_id_side")),
    )
    op.create_index(
        op.f("ix_reviews_review__provider_id_side_created_at_id"),
        "reviews_review",
        ["provider_id", "side", "created_at", "id"],
    )
