"""What staff do to bookings: the log says who acted, for whom and why, and the lists of staff have indexes."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import MoneyMinor

revision = "1010"
down_revision = "1001"

_SETTLED = (
    "status = 'confirmed' OR status = 'completed' OR status = 'declined' OR status = 'cancelled' OR status = 'expired'"
)


def upgrade() -> None:
    # Added as they are, because a copied table would lose the triggers that make the log append-only.
    op.add_column("booking_change", sa.Column("acted_by", sa.Uuid(), nullable=True))
    op.add_column("booking_change", sa.Column("on_behalf_of", sa.Text(), nullable=True))
    op.add_column("booking_change", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("booking_change", sa.Column("refund_minor", MoneyMinor(), nullable=True))
    op.create_index(
        "ix_booking_booking__settled", "booking_booking", ["status", "starts_at", "id"], **only_where(_SETTLED)
    )
    op.create_index(
        "ix_booking_booking__cancelled", "booking_booking", ["changed_at"], **only_where("status = 'cancelled'")
    )
