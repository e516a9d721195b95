"""Staff list payments by status and time, and add up the money of a day; each list has its index."""

from alembic import op

from fairground.platform.db.dialect.columns import only_where

revision = "1010"
down_revision = "1001"


def upgrade() -> None:
    op.create_index("ix_payments_payment__status_created_at_id", "payments_payment", ["status", "created_at", "id"])
    op.create_index("ix_payments_payment__payer_id_created_at_id", "payments_payment", ["payer_id", "created_at", "id"])
    op.create_index(
        "ix_payments_payment__captured",
        "payments_payment",
        ["captured_at", "currency", "captured_minor"],
        **only_where("captured_at IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_refund__succeeded", "payments_refund", ["succeeded_at"], **only_where("succeeded_at IS NOT NULL")
    )
    op.create_index("ix_payments_event__intent_id", "payments_event", ["intent_id"])
