"""Tables of providers: public columns apart from private ones, each index beside the query that it answers."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    and_,
    case,
    false,
    literal_column,
    not_,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.dialect.guards import AddressGuard
from fairground.platform.db.history import History
from fairground.platform.db.types import (
    NAMING_CONVENTION,
    TYPE_ANNOTATION_MAP,
    BytewiseText,
    Json,
    MoneyMinor,
)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class ProviderRow(Base):
    """The public data of a provider, and the figures that events of other modules bring."""

    __tablename__ = "providers_provider"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vertical: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(BytewiseText)
    """Given once; a rename keeps it, for others have linked to it."""
    owner_id: Mapped[UUID | None]
    """None for an imported provider without an owner."""
    status: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default="1")
    """Of the snapshot that read models copy."""
    business_name: Mapped[str] = mapped_column(Text)
    custom_subtitle: Mapped[str | None] = mapped_column(Text)
    bio: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str] = mapped_column(Text)
    lat: Mapped[float | None]
    lng: Mapped[float | None]
    timezone: Mapped[str] = mapped_column(Text)
    timezone_version: Mapped[int] = mapped_column(server_default="1")
    profile_picture_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    """When the provider last changed what its page shows; None before the first change."""
    submitted_at: Mapped[datetime | None]
    price_from_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    currency: Mapped[str | None] = mapped_column(Text)
    book_count: Mapped[int]
    """From booking's events; it only grows, so the highest figure is the newest."""
    rating_sum: Mapped[int]
    rating_count: Mapped[int]
    rating_version: Mapped[int] = mapped_column(server_default="0")
    """From reviews' events, like the sum and the number; it only grows."""
    rating_avg: Mapped[float]
    """Zero before the first review."""
    has_hours: Mapped[bool]
    hours_version: Mapped[int]
    external_source: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    external_hash: Mapped[str | None] = mapped_column(Text)
    """Of the imported row as it was last applied: the same row again changes nothing."""
    is_owner_active: Mapped[bool] = mapped_column(server_default=true())
    """False hides the provider, whatever its status: the account of its owner is suspended or closed."""
    owner_version: Mapped[int] = mapped_column(server_default="0")
    """Of the owner's status, from the events of accounts."""
    is_suspended: Mapped[bool] = mapped_column(server_default=false())
    """True hides the provider, whatever its status: staff have suspended it."""
    suspension_version: Mapped[int] = mapped_column(server_default="0")
    """How often staff have suspended or restored it."""

    __table_args__ = (
        CheckConstraint("status IN ('draft', 'submitted', 'approved', 'rejected')", name="status"),
        CheckConstraint("(external_source IS NULL) = (external_id IS NULL)", name="external"),
        UniqueConstraint("slug"),
        UniqueConstraint("owner_id"),
        UniqueConstraint("external_source", "external_id"),
        Index("ix_providers_provider__submitted", "status", "submitted_at"),
        # Of the search of staff, which lists the newest first.
        Index(None, "status", "id"),
        Index(None, "vertical", "id"),
        Index(None, "vertical", "status", "id"),
        # Of the few that are hidden: whole indexes would draw SQLite away from those of the status.
        Index("ix_providers_provider__suspended", "id", **only_where("is_suspended = true")),
        Index("ix_providers_provider__owner_inactive", "id", **only_where("is_owner_active = false")),
    )


def is_visible() -> ColumnElement[bool]:
    """Return whether neither staff nor the status of the owner's account hides a provider."""
    return and_(ProviderRow.is_owner_active, not_(ProviderRow.is_suspended))


def shown_status() -> ColumnElement[str]:
    """Return the status as others know it: a provider that is hidden is suspended, whatever its own."""
    return case((is_visible(), ProviderRow.status), else_=literal_column("'suspended'")).label("status")


class ProviderPrivateRow(Base):
    """What only the owner and staff may see. Lists and public pages never read this table."""

    __tablename__ = "providers_provider_private"

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)
    contact_email: Mapped[str | None] = mapped_column(Text)
    contact_phone: Mapped[str | None] = mapped_column(Text)
    address: Mapped[dict[str, Any] | None]
    """Of the place where customers come to the provider: the fields of a `kernel.addresses.Address`."""
    meeting_details: Mapped[str | None] = mapped_column(Text)
    """The link or number of an online booking."""
    rejection_reason: Mapped[str | None] = mapped_column(Text)
    """Of the last rejection, until the profile is submitted again."""
    suspension_reason: Mapped[str | None] = mapped_column(Text)
    """While staff have suspended the provider."""


class ProviderWordRow(Base):
    """A folded word of a provider's name, by whose beginning staff find the provider in any state."""

    __tablename__ = "providers_provider_word"
    __table_args__ = (Index(None, "provider_id", "word"),)

    word: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)


class PortraitRow(Base):
    """The picture that a provider has chosen; it shows once media tells that it is ready."""

    __tablename__ = "providers_portrait"
    __table_args__ = (Index(None, "picture_id"), Index(None, "shown_picture_id"))

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)
    picture_id: Mapped[UUID]
    shown_picture_id: Mapped[UUID | None]
    """The one before, until the chosen one is ready."""


class GalleryRow(Base):
    """A picture of a provider's gallery, with all that its page shows of it."""

    __tablename__ = "providers_gallery"
    __table_args__ = (
        CheckConstraint(
            "(url IS NULL) = (width_px IS NULL) AND (url IS NULL) = (height_px IS NULL)"
            " AND (url IS NULL) = (colour IS NULL) AND (url IS NULL) = (placeholder IS NULL)",
            name="look",
        ),
        UniqueConstraint("provider_id", "position"),
        Index(None, "picture_id"),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)
    picture_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    """Only its order says something: there are gaps, and a new order is made of new numbers."""
    alt: Mapped[str] = mapped_column(Text)
    alt_version: Mapped[int]
    """Version of the text as media counts its changes; older events are ignored."""
    url: Mapped[str | None] = mapped_column(Text)
    """With the next columns, from media's event about a ready picture; None before."""
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    colour: Mapped[str | None] = mapped_column(Text)
    placeholder: Mapped[str | None] = mapped_column(Text)


class HiddenPictureRow(Base):
    """A picture that staff have hidden, wherever a provider shows it or chooses it again."""

    __tablename__ = "providers_hidden_picture"
    __table_args__ = (Index(None, "provider_id"),)

    picture_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"))
    reason: Mapped[str] = mapped_column(Text)
    """Its owner reads it."""


class ProviderCategoryRow(Base):
    __tablename__ = "providers_provider_category"

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"), primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    """In the order in which the provider named them."""


class ServiceRow(Base):
    __tablename__ = "providers_service"
    __table_args__ = (
        CheckConstraint("booking_mode IN ('instant', 'request')", name="booking_mode"),
        CheckConstraint("price_minor > 0", name="price_minor"),
        CheckConstraint("price_model IN ('booking', 'person', 'hour')", name="price_model"),
        CheckConstraint("min_people >= 1", name="min_people"),
        Index(None, "provider_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"))
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    price_model: Mapped[str] = mapped_column(Text, server_default="booking")
    price_minor: Mapped[int] = mapped_column(MoneyMinor)
    """Of a booking, a person or an hour, as the model says."""
    currency: Mapped[str] = mapped_column(Text)
    duration_minutes: Mapped[int]
    """With the model of an hour, the shortest length."""
    max_duration_minutes: Mapped[int | None]
    min_people: Mapped[int] = mapped_column(server_default="1")
    max_people: Mapped[int | None]
    places: Mapped[list[str]] = mapped_column(Json, server_default='["customer", "provider"]')
    """Those of the vertical's places where it can take place."""
    travel_radius_km: Mapped[int | None]
    """How far from the provider's location the customer's place may be."""
    position: Mapped[int] = mapped_column(server_default="0")
    """The order of a provider's services; equal ones are in the order of their creation."""
    is_paused: Mapped[bool] = mapped_column(server_default=false())
    booking_mode: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None]
    """Bookings made of it stay, so its row does too."""


class ApprovalRow(Base):
    """Who moved a provider from one status to another, and why. Rows are only ever added; their ids have the time."""

    __tablename__ = "providers_approval"
    __table_args__ = (Index(None, "provider_id"), Index(None, "to_status", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"))
    actor_id: Mapped[UUID]
    from_status: Mapped[str] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


class ClaimRow(Base):
    """A user's statement that an unclaimed provider is theirs, and how staff decided."""

    __tablename__ = "providers_claim"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'granted', 'refused')", name="status"),
        CheckConstraint("(refusal IS NOT NULL) = (status = 'refused')", name="refusal"),
        CheckConstraint("(decided_at IS NULL) = (status = 'waiting')", name="decided"),
        Index("uq_providers_claim__waiting", "provider_id", "user_id", unique=True, **only_where("status = 'waiting'")),
        Index(None, "provider_id", "user_id", "id"),
        Index("ix_providers_claim__queue", "status", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"))
    user_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    """For staff alone."""
    refusal: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[UUID | None]
    """None where the provider got an owner otherwise."""
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class InvitationRow(Base):
    """A mailed link that can be used once. Only its hash is stored."""

    __tablename__ = "providers_invitation"
    __table_args__ = (Index(None, "provider_id", "expires_at"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers_provider.id"))
    email: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]


PICTURE_ADDRESSES: Final = (
    AddressGuard(ProviderRow.__tablename__, "profile_picture_url"),
    AddressGuard(GalleryRow.__tablename__, "url"),
)


def _ensure(connection: Connection) -> None:
    for guard in PICTURE_ADDRESSES:
        guard.ensure(connection)


history = History(
    name="providers",
    metadata=Base.metadata,
    folder=Path(__file__).parent / "migrations",
    after_upgrade=_ensure,
)
