"""The reviews of one author are found, to give them another name."""

from alembic import op

revision = "1001"
down_revision = "1000"


def upgrade() -> None:
    op.create_index(op.f("ix_reviews_review__author_id"), "reviews_review", ["author_id"])
