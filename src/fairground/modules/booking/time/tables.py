"""Tables of a provider's time: allocations, hours and zones."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.guards import OverlapGuard
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    """Of all tables of booking, which have one migration history."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class AllocationRow(Base):
    """The time of a provider that one booking takes; the guard refuses two live ones that overlap.

    A transaction that changes a booking locks its allocation first, so that changes of one booking follow each other.
    There is no foreign key to the booking, because the proof of the guard at every start inserts allocations that have
    none.
    """

    __tablename__ = "booking_allocation"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'confirmed', 'released')", name="state"),
        CheckConstraint("blocked_from < blocked_until", name="blocked_order"),
        CheckConstraint("(expires_at IS NULL) = (state <> 'held')", name="only_holds_expire"),
        Index(None, "resource_id", "unit", "blocked_from"),
        Index(None, "state", "expires_at"),
        Index(None, "booking_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[UUID]
    """The provider."""
    unit: Mapped[int] = mapped_column(Integer)
    """Which of several equal ones, such as courts; a person is unit 1."""
    blocked_from: Mapped[datetime]
    blocked_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    """When a hold or an unanswered request lapses, by the database's clock."""
    booking_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)


class ProviderZoneRow(Base):
    """A copy of the provider's zone, which `providers` has: the newest version that was published."""

    __tablename__ = "booking_provider_zone"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    timezone: Mapped[str] = mapped_column(Text)
    version: Mapped[int]


class RulesRow(Base):
    """A provider's opening hours. They are read and replaced whole, so they are one document."""

    __tablename__ = "booking_rules"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]]
    published_version: Mapped[int] = mapped_column(server_default="0")
    """Of the availability summary."""


ALLOCATION_GUARD: Final = OverlapGuard(table=AllocationRow.__tablename__, live_states=("held", "confirmed"))
