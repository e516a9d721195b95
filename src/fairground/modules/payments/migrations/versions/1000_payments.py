"""Payments, refunds, the log of operations, and the processor's events."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.dialect.guards import refuse_changes
from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "payments_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("logged_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_attempt")),
    )
    op.create_index(op.f("ix_payments_attempt__payment_id"), "payments_attempt", ["payment_id"])
    op.create_table(
        "payments_cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_payments_cursor")),
    )
    op.create_table(
        "payments_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_payments_event")),
    )
    op.create_table(
        "payments_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunding_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("action_url", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("wants_release", sa.Boolean(), nullable=False),
        sa.Column("open_act", sa.Text(), nullable=True),
        sa.Column("open_key", sa.Uuid(), nullable=True),
        sa.Column("open_since", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('started', 'requires_action', 'authorised', 'captured', 'voided', 'failed')",
            name=op.f("ck_payments_payment__status"),
        ),
        sa.CheckConstraint("(open_act IS NULL) = (open_key IS NULL)", name=op.f("ck_payments_payment__open_act")),
        sa.CheckConstraint(
            "amount_minor > 0 AND captured_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payments_payment__captured")
        ),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunding_minor >= 0 AND refunded_minor + refunding_minor <= captured_minor",
            name=op.f("ck_payments_payment__refunded"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_payment")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payments_payment__intent_id")),
    )
    op.create_index(
        "ix_payments_payment__open", "payments_payment", ["open_since"], **only_where("open_key IS NOT NULL")
    )
    op.create_index("ix_payments_payment__reference_id", "payments_payment", ["reference_id", "created_at"])
    op.create_index(
        "ix_payments_payment__unfinished",
        "payments_payment",
        ["created_at"],
        **only_where("status IN ('started', 'requires_action', 'authorised')"),
    )
    op.create_index(
        "uq_payments_payment__live_reference",
        "payments_payment",
        ["reference_id"],
        unique=True,
        **only_where("status IN ('started', 'requires_action', 'authorised', 'captured')"),
    )
    op.create_table(
        "payments_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("attempt_key", sa.Uuid(), nullable=False),
        sa.Column("open_since", UtcDateTime(), nullable=False),
        sa.Column("processor_refund_id", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('started', 'succeeded', 'failed')", name=op.f("ck_payments_refund__status")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_refund__amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments_payment.id"], name=op.f("fk_payments_refund__payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_refund")),
        sa.UniqueConstraint("payment_id", "key", name=op.f("uq_payments_refund__payment_id_key")),
        sa.UniqueConstraint("processor_refund_id", name=op.f("uq_payments_refund__processor_refund_id")),
    )
    op.create_index("ix_payments_refund__open", "payments_refund", ["open_since"], **only_where("status = 'started'"))
    refuse_changes(op.get_bind(), "payments_attempt")
    refuse_changes(op.get_bind(), "payments_event")
