"""Bookings, their changes, allocations, hours and zones."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.guards import refuse_changes
from fairground.platform.db.types import Json, UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "booking_allocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("blocked_from", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(expires_at IS NULL) = (state <> 'held')", name=op.f("ck_booking_allocation__only_holds_expire")
        ),
        sa.CheckConstraint("state IN ('held', 'confirmed', 'released')", name=op.f("ck_booking_allocation__state")),
        sa.CheckConstraint("blocked_from < blocked_until", name=op.f("ck_booking_allocation__blocked_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_allocation")),
    )
    op.create_index(op.f("ix_booking_allocation__booking_id"), "booking_allocation", ["booking_id"], unique=True)
    op.create_index(
        op.f("ix_booking_allocation__resource_id_unit_blocked_from"),
        "booking_allocation",
        ["resource_id", "unit", "blocked_from"],
    )
    op.create_index(op.f("ix_booking_allocation__state_expires_at"), "booking_allocation", ["state", "expires_at"])
    op.create_table(
        "booking_booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("booking_mode", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("provider_owner_id", sa.Uuid(), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_slug", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("service_name", sa.Text(), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("starts_wall", sa.Text(), nullable=False),
        sa.Column("starts_fold", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("party_size", sa.Integer(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cancellation", Json, nullable=False),
        sa.Column("answer_due_hours", sa.Integer(), nullable=False),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("was_confirmed", sa.Boolean(), nullable=False),
        sa.Column("has_customer_review", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_provider_review", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("booking_mode IN ('instant', 'request')", name=op.f("ck_booking_booking__booking_mode")),
        sa.CheckConstraint(
            "status IN ('held', 'requested', 'confirmed', 'completed', 'declined', 'cancelled', 'expired')",
            name=op.f("ck_booking_booking__status"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_booking_booking__order")),
        sa.CheckConstraint("starts_fold IN (0, 1)", name=op.f("ck_booking_booking__starts_fold")),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_booking_booking__total")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_booking")),
    )
    op.create_index(
        op.f("ix_booking_booking__customer_id_starts_at_id"), "booking_booking", ["customer_id", "starts_at", "id"]
    )
    op.create_index(
        op.f("ix_booking_booking__customer_id_status_starts_at_id"),
        "booking_booking",
        ["customer_id", "status", "starts_at", "id"],
    )
    op.create_index(
        op.f("ix_booking_booking__provider_owner_id_starts_at_id"),
        "booking_booking",
        ["provider_owner_id", "starts_at", "id"],
    )
    op.create_index(
        op.f("ix_booking_booking__provider_owner_id_status_starts_at_id"),
        "booking_booking",
        ["provider_owner_id", "status", "starts_at", "id"],
    )
    op.create_table(
        "booking_change",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("booking_id", "version", name=op.f("pk_booking_change")),
    )
    op.create_table(
        "booking_customer",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_booking_customer")),
    )
    op.create_table(
        "booking_provider_counter",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("completed_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_booking_provider_counter")),
    )
    op.create_table(
        "booking_provider_zone",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_booking_provider_zone")),
    )
    op.create_table(
        "booking_rules",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("published_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_booking_rules")),
    )
    refuse_changes(op.get_bind(), "booking_change")
