"""Staff hide reviews, and the totals of a provider have a version, because their number no longer only grows."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where

revision = "1002"
down_revision = "1001"

_REVIEW = "reviews_review"


def upgrade() -> None:
    op.add_column(_REVIEW, sa.Column("hidden_reason", sa.Text(), nullable=True))
    op.create_index(op.f("ix_reviews_review__created_at_id"), _REVIEW, ["created_at", "id"])
    hidden = only_where("hidden_reason IS NOT NULL")
    op.create_index("ix_reviews_review__hidden", _REVIEW, ["created_at", "id"], **hidden)
    op.add_column("reviews_provider_figures", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False))
    # The number of ratings was the version until now, also in events that are still waiting.
    op.execute("UPDATE reviews_provider_figures SET version = rating_count")
