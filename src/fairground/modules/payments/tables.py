"""Tables of payments."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class PaymentRow(Base):
    """One payment. While an operation is open its outcome is unknown, and no key but its own may be used."""

    __tablename__ = "payments_payment"
    __table_args__ = (
        CheckConstraint(
            "status IN ('started', 'requires_action', 'authorised', 'captured', 'voided', 'failed')", name="status"
        ),
        CheckConstraint("amount_minor > 0 AND captured_minor BETWEEN 0 AND amount_minor", name="captured"),
        CheckConstraint(
            "refunded_minor >= 0 AND refunding_minor >= 0 AND refunded_minor + refunding_minor <= captured_minor",
            name="refunded",
        ),
        CheckConstraint("(open_act IS NULL) = (open_key IS NULL)", name="open_act"),
        Index("ix_payments_payment__reference_id", "reference_id", "created_at"),
        Index(
            "uq_payments_payment__live_reference",
            "reference_id",
            unique=True,
            **only_where("status IN ('started', 'requires_action', 'authorised', 'captured')"),
        ),
        Index("ix_payments_payment__open", "open_since", **only_where("open_key IS NOT NULL")),
        Index(
            "ix_payments_payment__unfinished",
            "created_at",
            **only_where("status IN ('started', 'requires_action', 'authorised')"),
        ),
        # The lists of staff; one of any status merges its ranges.
        Index(None, "status", "created_at", "id"),
        Index(None, "payer_id", "created_at", "id"),
        # The money of a day is added up from the index alone.
        Index(
            "ix_payments_payment__captured",
            "captured_at",
            "currency",
            "captured_minor",
            **only_where("captured_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference_id: Mapped[UUID]
    payer_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int]
    captured_minor: Mapped[int]
    refunding_minor: Mapped[int]
    """Reserved for refunds whose outcome is unknown."""
    refunded_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    payment_method: Mapped[str] = mapped_column(Text)
    return_url: Mapped[str] = mapped_column(Text)
    intent_id: Mapped[str | None] = mapped_column(Text, unique=True)
    """The processor's id of it."""
    action_url: Mapped[str | None] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    wants_release: Mapped[bool]
    """Everything shall be given back, as soon as it is known how much that is."""
    open_act: Mapped[str | None] = mapped_column(Text)
    open_key: Mapped[UUID | None]
    open_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    captured_at: Mapped[datetime | None]
    card_brand: Mapped[str | None] = mapped_column(Text)
    card_last4: Mapped[str | None] = mapped_column(Text)


class RefundRow(Base):
    """Money given back, or about to be: the row and its reservation are there before the processor is asked."""

    __tablename__ = "payments_refund"
    __table_args__ = (
        CheckConstraint("status IN ('started', 'succeeded', 'failed')", name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        UniqueConstraint("payment_id", "key"),
        Index("ix_payments_refund__open", "open_since", **only_where("status = 'started'")),
        Index("ix_payments_refund__succeeded", "succeeded_at", **only_where("succeeded_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments_payment.id"))
    key: Mapped[str] = mapped_column(Text)
    """The caller's; repeating it refunds once."""
    status: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int]
    attempt_key: Mapped[UUID]
    """The idempotency key of the current attempt."""
    open_since: Mapped[datetime]
    processor_refund_id: Mapped[str | None] = mapped_column(Text, unique=True)
    succeeded_at: Mapped[datetime | None]


class AttemptRow(Base):
    """The log of operations and their outcomes. Append-only; the database refuses changes and deletions."""

    __tablename__ = "payments_attempt"
    __table_args__ = (Index(None, "payment_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    act: Mapped[str] = mapped_column(Text)
    key: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    logged_at: Mapped[datetime]


class EventRow(Base):
    """An event of the processor that has arrived, however often it was sent. Append-only."""

    __tablename__ = "payments_event"
    __table_args__ = (Index(None, "intent_id"),)

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    intent_id: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime]


class CursorRow(Base):
    """How far the processor's list of events has been read."""

    __tablename__ = "payments_cursor"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text)


history = History(name="payments", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
