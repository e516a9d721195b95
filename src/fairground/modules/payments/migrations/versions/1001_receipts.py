"""What a receipt says: when money was taken and given back, and the card."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1001"
down_revision = "1000"

_CAPTURED = """
UPDATE payments_payment SET captured_at = COALESCE(
    (SELECT MAX(logged_at) FROM payments_attempt
     WHERE payments_attempt.payment_id = payments_payment.id AND act = 'capture' AND outcome = 'succeeded'),
    created_at
) WHERE status = 'captured'
"""


def upgrade() -> None:
    op.add_column("payments_payment", sa.Column("captured_at", UtcDateTime(), nullable=True))
    op.add_column("payments_payment", sa.Column("card_brand", sa.Text(), nullable=True))
    op.add_column("payments_payment", sa.Column("card_last4", sa.Text(), nullable=True))
    op.add_column("payments_refund", sa.Column("succeeded_at", UtcDateTime(), nullable=True))
    # Of what was paid before, the log of operations knows when it was captured; a refund was begun then, and done soon.
    op.execute(_CAPTURED)
    op.execute("UPDATE payments_refund SET succeeded_at = open_since WHERE status = 'succeeded'")
