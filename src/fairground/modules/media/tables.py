"""Tables of the media module."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class OriginalRow(Base):
    """One uploaded content, which several pictures may share. It is deleted with the last of them."""

    __tablename__ = "media_original"

    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    """SHA-256 in hexadecimal digits."""
    key: Mapped[str] = mapped_column(Text, unique=True)
    rendered_at: Mapped[datetime | None]
    """When its first renditions were made; the next columns are known since then."""
    width_px: Mapped[int | None] = mapped_column(Integer)
    height_px: Mapped[int | None] = mapped_column(Integer)
    colour: Mapped[str | None] = mapped_column(Text)
    placeholder: Mapped[str | None] = mapped_column(Text)


class PictureRow(Base):
    __tablename__ = "media_picture"
    __table_args__ = (
        CheckConstraint("state IN ('awaited', 'processing', 'ready', 'refused')", name="state"),
        CheckConstraint("(original_digest IS NOT NULL) = (state IN ('processing', 'ready'))", name="original"),
        CheckConstraint("(upload_key IS NOT NULL) = (state = 'awaited')", name="upload"),
        CheckConstraint("(refusal_code IS NOT NULL) = (state = 'refused')", name="refusal"),
        Index(None, "owner_id", "state", "created_at"),
        Index(None, "state", "created_at"),
        Index(None, "original_digest"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text)
    alt: Mapped[str] = mapped_column(Text)
    alt_version: Mapped[int]
    """Grows with each change of the text."""
    upload_key: Mapped[str | None] = mapped_column(Text)
    """The key in quarantine under which the form puts the file."""
    original_digest: Mapped[str | None] = mapped_column(ForeignKey(OriginalRow.digest))
    refusal_code: Mapped[str | None] = mapped_column(Text)
    refusal_detail: Mapped[str | None] = mapped_column(Text)
    refusal_hint: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class RenditionRow(Base):
    """One file that was made of an original."""

    __tablename__ = "media_rendition"
    __table_args__ = (Index(None, "key"),)

    original_digest: Mapped[str] = mapped_column(ForeignKey(OriginalRow.digest), primary_key=True)
    recipe: Mapped[str] = mapped_column(Text, primary_key=True)
    """The recipe's name, which differs where the file may differ."""
    key: Mapped[str] = mapped_column(Text)
    width_px: Mapped[int] = mapped_column(Integer)
    height_px: Mapped[int] = mapped_column(Integer)
    size_bytes: Mapped[int]


history = History(name="media", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
