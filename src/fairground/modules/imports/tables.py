"""Tables of imports: pictures on their way to files, and the runs that handle the embedded ones."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class PictureMigrationRow(Base):
    """One run that makes embedded pictures into files; one of each subject runs at a time."""

    __tablename__ = "imports_picture_migration"
    __table_args__ = (
        Index("uq_imports_picture_migration__running", "subject", unique=True, **only_where("finished_at IS NULL")),
        Index(None, "subject", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class EmbeddedPictureRow(Base):
    """A picture that a row embeds or names by address. The public sees it once it is a picture of media."""

    __tablename__ = "imports_embedded_picture"
    __table_args__ = (
        CheckConstraint("place IN ('portrait', 'portfolio', 'service')", name="place"),
        CheckConstraint("state IN ('waiting', 'fetching', 'taken', 'migrated', 'failed')", name="state"),
        CheckConstraint("(content IS NULL) = (state = 'migrated' OR url IS NOT NULL)", name="content"),
        CheckConstraint("(migration_id IS NULL) = (state = 'waiting' OR url IS NOT NULL)", name="migration"),
        CheckConstraint("(url IS NOT NULL) OR (state <> 'fetching' AND replaces_id IS NULL)", name="url"),
        CheckConstraint("(failure_code IS NOT NULL) = (state = 'failed')", name="failure"),
        UniqueConstraint("provider_id", "place", "digest"),
        Index(None, "state", "place", "id"),
        Index(None, "migration_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Media uses the same id, so handing the picture over twice stores it once."""
    provider_id: Mapped[UUID]
    place: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    """SHA-256 of the embedded content, or of the address; a repeated import adds no second row."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    url: Mapped[str | None] = mapped_column(Text)
    content_digest: Mapped[str | None] = mapped_column(Text)
    """SHA-256 of what was fetched last from the address."""
    replaces_id: Mapped[UUID | None]
    """The picture of the same address that is shown until this one is."""
    alt: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    """`taken` while media renders it."""
    migration_id: Mapped[UUID | None] = mapped_column(ForeignKey(PictureMigrationRow.id))
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)


history = History(name="imports", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")
