"""Tables of the notifications module."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class NotificationRow(Base):
    __tablename__ = "notifications_notification"
    __table_args__ = (
        # An event that is delivered twice makes one notification.
        UniqueConstraint(
            "user_id", "topic", "subject_id", "occasion", name="uq_notifications_notification__user_id_topic_subject"
        ),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "user_id", "read_at"),
        # The list of e-mails for staff.
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    topic: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    occasion: Mapped[str] = mapped_column(Text)
    """Distinguishes repetitions of a topic for one subject; empty if the topic cannot repeat."""
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    changes_calendar: Mapped[bool]
    """Whether the email has the booking as a calendar file."""
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]


history = History(name="notifications", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
