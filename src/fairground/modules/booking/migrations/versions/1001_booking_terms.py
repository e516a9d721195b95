"""A booking keeps the price of a unit, the customer's address and telephone number, and when it was confirmed."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import Json, UtcDateTime

revision = "1001"
down_revision = "1000"


def upgrade() -> None:
    with op.batch_alter_table("booking_booking") as table:
        table.add_column(sa.Column("price_model", sa.Text(), server_default="booking", nullable=False))
        table.add_column(sa.Column("price_minor", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("address", Json, nullable=True))
        table.add_column(sa.Column("distance_km", sa.Integer(), nullable=True))
        table.add_column(sa.Column("phone", sa.Text(), nullable=True))
        table.add_column(sa.Column("confirmed_at", UtcDateTime(), nullable=True))
    # Every booking of before was one of a whole booking's price.
    op.execute("UPDATE booking_booking SET price_minor = total_minor")
    op.execute(
        "UPDATE booking_booking SET confirmed_at = (SELECT MAX(changed_at) FROM booking_change"
        " WHERE booking_id = booking_booking.id AND to_status = 'confirmed') WHERE was_confirmed"
    )
    with op.batch_alter_table("booking_booking") as table:
        table.alter_column("price_minor", existing_type=sa.BigInteger(), nullable=False)
        table.create_check_constraint(
            op.f("ck_booking_booking__price_model"), "price_model IN ('booking', 'person', 'hour')"
        )
