"""Tables of the reviews module."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class ReviewRow(Base):
    __tablename__ = "reviews_review"
    __table_args__ = (
        UniqueConstraint("booking_id", "side"),
        CheckConstraint("side IN ('customer', 'provider')", name="side"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index(None, "provider_id", "side", "created_at", "id"),
        Index(None, "author_id"),
        # Of the list of staff, newest first.
        Index(None, "created_at", "id"),
        Index("ix_reviews_review__hidden", "created_at", "id", **only_where("hidden_reason IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    side: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID]
    author_name: Mapped[str] = mapped_column(Text)
    """As it was when the review was written, shortened for the public."""
    rating: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    hidden_reason: Mapped[str | None] = mapped_column(Text)
    """Why staff have hidden it, as its author reads: it is neither shown nor counted. None for one that is shown."""


class ProviderFiguresRow(Base):
    """Sum and number of the ratings that customers gave a provider; always equal to a recount of what is shown."""

    __tablename__ = "reviews_provider_figures"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    rating_sum: Mapped[int]
    rating_count: Mapped[int]
    version: Mapped[int] = mapped_column(server_default="0")
    """Grows with each rating, and with each that is hidden or restored."""


history = History(name="reviews", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
