"""Tables of bookings."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from fairground.modules.booking.time.tables import Base
from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import MoneyMinor

_STATUSES: Final = "'held', 'requested', 'confirmed', 'completed', 'declined', 'cancelled', 'expired'"
# One comparison for each, because SQLite finds that a condition of a query implies this one only by a term of it.
SETTLED: Final = " OR ".join(
    f"status = '{status}'" for status in ("confirmed", "completed", "declined", "cancelled", "expired")
)


class BookingRow(Base):
    """A booking, with everything copied that must stay as it was when it was made."""

    __tablename__ = "booking_booking"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint("booking_mode IN ('instant', 'request')", name="booking_mode"),
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("starts_fold IN (0, 1)", name="starts_fold"),
        CheckConstraint("total_minor >= 0", name="total"),
        CheckConstraint("price_model IN ('booking', 'person', 'hour')", name="price_model"),
        Index(None, "customer_id", "starts_at", "id"),
        Index(None, "provider_owner_id", "starts_at", "id"),
        # Also finds the few times that one customer holds, whatever others hold or ask for.
        Index(None, "customer_id", "status", "starts_at", "id"),
        Index(None, "provider_owner_id", "status", "starts_at", "id"),
        # The lists and figures of staff. Without holds and requests: those are few, are found by their allocations, and
        # a planner that believes there are none would else look for a customer's holds among those of all.
        Index("ix_booking_booking__settled", "status", "starts_at", "id", **only_where(SETTLED)),
        Index("ix_booking_booking__cancelled", "changed_at", **only_where("status = 'cancelled'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    """Grows by one with every change of status."""
    status: Mapped[str] = mapped_column(Text)
    booking_mode: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    provider_owner_id: Mapped[UUID]
    provider_name: Mapped[str] = mapped_column(Text)
    provider_slug: Mapped[str] = mapped_column(Text)
    service_id: Mapped[UUID]
    service_name: Mapped[str] = mapped_column(Text)
    vertical: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(Text)
    starts_wall: Mapped[str] = mapped_column(Text)
    """What the clock on the wall shows at the start, so that a changed zone rule can be noticed later."""
    starts_fold: Mapped[int] = mapped_column(Integer)
    """1 when the clock shows that time for the second time on that day."""
    place: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    party_size: Mapped[int | None] = mapped_column(Integer)
    address: Mapped[dict[str, Any] | None]
    """Of the customer's place, where it takes place there: the fields of a `kernel.addresses.Address`."""
    distance_km: Mapped[int | None] = mapped_column(Integer)
    """From the provider's location to that address, rounded up, where both were known."""
    phone: Mapped[str | None] = mapped_column(Text)
    """The customer's, for this booking."""
    price_model: Mapped[str] = mapped_column(Text, server_default="booking")
    price_minor: Mapped[int] = mapped_column(MoneyMinor)
    """Of the whole booking, a person or an hour, as the model says."""
    total_minor: Mapped[int] = mapped_column(MoneyMinor)
    currency: Mapped[str] = mapped_column(Text)
    cancellation: Mapped[dict[str, Any]]
    """The vertical's cancellation policy as it was."""
    answer_due_hours: Mapped[int] = mapped_column(Integer)
    decline_reason: Mapped[str | None] = mapped_column(Text)
    was_confirmed: Mapped[bool]
    """Stays true: the money of a booking that was once confirmed follows its cancellation policy."""
    confirmed_at: Mapped[datetime | None]
    has_customer_review: Mapped[bool] = mapped_column(server_default=false())
    has_provider_review: Mapped[bool] = mapped_column(server_default=false())
    """Whether that side has written its review: a projection, fed by the events of reviews."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ChangeRow(Base):
    """Every change of a booking's status. The database refuses to change or delete one."""

    __tablename__ = "booking_change"

    booking_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    actor: Mapped[str] = mapped_column(Text)
    from_status: Mapped[str | None] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    acted_by: Mapped[UUID | None]
    """The member of staff who acted; the three columns below are theirs too."""
    on_behalf_of: Mapped[str | None] = mapped_column(Text)
    """The side for which staff acted."""
    reason: Mapped[str | None] = mapped_column(Text)
    """For staff alone."""
    refund_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    """What staff decided to give back, in the place of what the policy says."""


class CustomerRow(Base):
    """A lock: a transaction that counts a customer's holds has this row, so that two cannot count at once."""

    __tablename__ = "booking_customer"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)


class ProviderCounterRow(Base):
    """How many bookings of a provider took place."""

    __tablename__ = "booking_provider_counter"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    completed_count: Mapped[int] = mapped_column(Integer)
