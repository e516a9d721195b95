"""Index a user's bookings by status, and keep which side has written its review."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_SIDES = ("customer", "provider")


def upgrade() -> None:
    for column in ("customer_id", "provider_owner_id"):
        op.create_index(
            op.f(f"ix_booking_booking__{column}_status_starts_at_id"),
            "booking_booking",
            [column, "status", "starts_at", "id"],
            unique=False,
        )
    for side in _SIDES:
        # Neither database rewrites or rebuilds the table for a constant default.
        op.add_column(
            "booking_booking",
            sa.Column(f"has_{side}_review", sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    _copy_reviews()


def _copy_reviews() -> None:
    """Learn of the reviews that were written before there was an event for them.

    Only here is a table of another module read: an event tells of every later review. Where reviews keep their tables
    in another database, or have none yet, there is nothing to copy.
    """
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("reviews_review"):
        return
    booking = sa.table("booking_booking", sa.column("id"), *(sa.column(f"has_{side}_review") for side in _SIDES))
    review = sa.table("reviews_review", sa.column("booking_id"), sa.column("side"))
    for side in _SIDES:
        reviewed = sa.select(review.c.booking_id).where(review.c.side == side)
        connection.execute(
            sa.update(booking).where(booking.c.id.in_(reviewed)).values({f"has_{side}_review": sa.true()})
        )
