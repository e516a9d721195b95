"""Tables of the catalog: public columns apart from private ones, and each index beside the question it answers."""

from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import READ_FROM_INDEXES
from fairground.platform.db.dialect.guards import AddressGuard
from fairground.platform.db.history import History
from fairground.platform.db.types import (
    NAMING_CONVENTION,
    TYPE_ANNOTATION_MAP,
    BytewiseText,
    MoneyMinor,
    RowNumber,
    WordIndex,
)

NO_PRICE_SORTS_AS: Final = 2**63 - 1
"""The largest integer of both dialects: providers without a price come last when the cheapest come first."""
EVERYBODY: Final = ""
"""The scope of the list of all approved providers."""
MAYBE_ANY_DAY: Final = -1
"""The `open_days`, all bits of them, of a document that was made before documents had any: its week is asked."""
NO_PRICE_BAND: Final = -1
"""The band of providers without a price, which no histogram shows."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class ProviderRow(Base):
    """What everybody may see of a provider, and what other modules have told of it."""

    __tablename__ = "catalog_provider"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vertical: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(BytewiseText)
    """Given once; a rename keeps it, for others have linked to it."""
    owner_id: Mapped[UUID | None]
    """None for an imported provider whom nobody has claimed."""
    status: Mapped[str] = mapped_column(Text)
    business_name: Mapped[str] = mapped_column(Text)
    custom_subtitle: Mapped[str | None] = mapped_column(Text)
    bio: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str] = mapped_column(Text)
    folded_location: Mapped[str] = mapped_column(BytewiseText)
    lat: Mapped[float | None]
    lng: Mapped[float | None]
    lat_band: Mapped[int | None]
    """With x, y and z, follows from `lat` and `lng` (domain/places.py)."""
    x: Mapped[float | None]
    y: Mapped[float | None]
    z: Mapped[float | None]
    timezone: Mapped[str] = mapped_column(Text)
    timezone_version: Mapped[int] = mapped_column(server_default="1")
    profile_picture_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    """When the provider last changed what its page shows; None before the first change."""
    submitted_at: Mapped[datetime | None]
    price_from_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    price_sort_minor: Mapped[int] = mapped_column(MoneyMinor)
    """`price_from_minor`, or NO_PRICE_SORTS_AS: the dialects disagree on where NULL sorts."""
    currency: Mapped[str | None] = mapped_column(Text)
    book_count: Mapped[int]
    """Told by booking; it only grows, so the highest figure is the newest."""
    rating_sum: Mapped[int]
    rating_count: Mapped[int]
    """Told by reviews; it only grows, so the highest figure is the newest."""
    rating_avg: Mapped[float]
    """Zero before the first review."""
    has_hours: Mapped[bool]
    hours_version: Mapped[int]
    open_days: Mapped[int]
    """In bits, on which weekdays there is any start; follows from the week and the days (domain/free_days.py)."""
    external_source: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    external_hash: Mapped[str | None] = mapped_column(Text)
    """Of the imported row as it was last applied: the same row again changes nothing."""

    __table_args__ = (
        CheckConstraint("status IN ('draft', 'submitted', 'approved', 'rejected')", name="status"),
        CheckConstraint("(external_source IS NULL) = (external_id IS NULL)", name="external"),
        UniqueConstraint("slug"),
        UniqueConstraint("owner_id"),
        UniqueConstraint("external_source", "external_id"),
        Index("ix_catalog_provider__submitted", "status", "submitted_at"),
    )


class ProviderPrivateRow(Base):
    """What only the owner and staff may see. Lists and public pages never read this table."""

    __tablename__ = "catalog_provider_private"

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)
    contact_email: Mapped[str | None] = mapped_column(Text)
    contact_phone: Mapped[str | None] = mapped_column(Text)
    rejection_reason: Mapped[str | None] = mapped_column(Text)
    """Of the last rejection, until the profile is submitted again."""


class PortraitRow(Base):
    """The picture that a provider has chosen; it shows once media tells that it is ready."""

    __tablename__ = "catalog_portrait"
    __table_args__ = (Index(None, "picture_id"), Index(None, "shown_picture_id"))

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)
    picture_id: Mapped[UUID]
    shown_picture_id: Mapped[UUID | None]
    """The one before, until the chosen one is ready."""


class GalleryRow(Base):
    """A picture of a provider's gallery, with all that its page shows of it."""

    __tablename__ = "catalog_gallery"
    __table_args__ = (
        CheckConstraint(
            "(url IS NULL) = (width_px IS NULL) AND (url IS NULL) = (height_px IS NULL)"
            " AND (url IS NULL) = (colour IS NULL) AND (url IS NULL) = (placeholder IS NULL)",
            name="look",
        ),
        UniqueConstraint("provider_id", "position"),
        Index(None, "picture_id"),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)
    picture_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    """Only its order says something: there are gaps, and a new order is made of new numbers."""
    alt: Mapped[str] = mapped_column(Text)
    alt_version: Mapped[int]
    """Of the text, as media counts its changes: what is told late changes nothing."""
    url: Mapped[str | None] = mapped_column(Text)
    """With the rest, what media told when the picture was ready; None before."""
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    colour: Mapped[str | None] = mapped_column(Text)
    placeholder: Mapped[str | None] = mapped_column(Text)


class ProviderCategoryRow(Base):
    __tablename__ = "catalog_provider_category"

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    """In the order in which the provider named them."""


_SORT_KEYS: Final = ("book_count", "rating_avg", "created_at", "price_sort_minor")
_ALWAYS_FILTERED: Final = ("open_days", "folded_location")


def _list_index(name: str, *columns: str) -> Index:
    return Index(f"ix_catalog_list_entry__{name}", "scope", *columns)


class ListEntryRow(Base):
    """An approved provider in one list: of everybody, of its vertical, or of one of its categories.

    A list is then one range of one index, however it is sorted and however many others there are. The indexes end with
    what the list may be filtered by, so that an entry that does not fit is passed over without being fetched.
    """

    __tablename__ = "catalog_list_entry"

    # The columns of each index, in this order, are those of `store/listing.py`.
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    """EVERYBODY, `artists`, or `artists/dj`."""
    book_count: Mapped[int]
    rating_avg: Mapped[float]
    created_at: Mapped[datetime]
    price_sort_minor: Mapped[int] = mapped_column(MoneyMinor)
    open_days: Mapped[int]
    folded_location: Mapped[str] = mapped_column(BytewiseText)
    lat_band: Mapped[int | None]
    lng: Mapped[float | None]
    x: Mapped[float | None]
    y: Mapped[float | None]
    z: Mapped[float | None]

    __table_args__ = (
        _list_index("most_booked", "book_count", "provider_id", "price_sort_minor", "rating_avg", *_ALWAYS_FILTERED),
        _list_index("top_rated", "rating_avg", "provider_id", "price_sort_minor", *_ALWAYS_FILTERED),
        _list_index("newest", "created_at", "provider_id", "price_sort_minor", "rating_avg", *_ALWAYS_FILTERED),
        _list_index("price", "price_sort_minor", "provider_id", "rating_avg", *_ALWAYS_FILTERED),
        # Few are in a town or a circle, so all of them are read, in any order, and then sorted.
        _list_index("location", "folded_location", "provider_id", *_SORT_KEYS, "open_days"),
        _list_index("near", "lat_band", "lng", "provider_id", "x", "y", "z", *_SORT_KEYS, "open_days"),
        READ_FROM_INDEXES,
    )


class PriceBandRow(Base):
    """How many providers of a list start at a price from this one up to the next band's; all of them are its total."""

    __tablename__ = "catalog_price_band"

    scope: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    from_minor: Mapped[int] = mapped_column(MoneyMinor, primary_key=True)
    """Or NO_PRICE_BAND."""
    providers: Mapped[int]


class WeekRow(Base):
    """On which weekdays a provider has free times, as booking told it last."""

    __tablename__ = "catalog_week"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    timezone: Mapped[str] = mapped_column(Text)
    last_starts: Mapped[str] = mapped_column(BytewiseText)
    """The last start of each day from Monday on, as `1730`, or four spaces on a day without any: 28 characters."""


class DayRow(Base):
    """A date on which a provider is not as free as on other days of that weekday."""

    __tablename__ = "catalog_day"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last_start: Mapped[str] = mapped_column(BytewiseText)


class NamePhraseRow(Base):
    """Every tail of a folded name that begins with a word, so that an index finds words by a prefix."""

    __tablename__ = "catalog_name_phrase"
    __table_args__ = (Index(None, "provider_id"),)

    phrase: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"), primary_key=True)


class LocationPhraseRow(Base):
    """Every ending of a folded location, without its spaces, so that an index finds any part of it by a prefix.

    Not by provider, for there are few locations. They are only ever added: one without providers costs a look-up that
    finds none.
    """

    __tablename__ = "catalog_location_phrase"

    phrase: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    folded_location: Mapped[str] = mapped_column(BytewiseText, primary_key=True)


class SearchDocumentRow(Base):
    """What is searched of an approved provider, in folded words; others have none (domain/search/documents.py)."""

    __tablename__ = "catalog_search_document"
    __table_args__ = (UniqueConstraint("provider_id"),)

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"))
    vertical: Mapped[str] = mapped_column(Text)
    """This and the next four are copies: the best of thousands are chosen, and facets are counted, without a join."""
    location: Mapped[str] = mapped_column(Text)
    price_from_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    book_count: Mapped[int]
    rating_avg: Mapped[float]
    name: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    categories: Mapped[str] = mapped_column(Text)
    services: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    """Indexed by SEARCHED_WORDS, and read by nobody."""
    open_days: Mapped[int] = mapped_column(server_default=str(MAYBE_ANY_DAY))
    """A copy as well."""


class SearchSpellingRow(Base):
    """From a shortened spelling to the words of documents that it may have come from (domain/search/spelling.py).

    Words are only ever added: one that no document has any more is found in vain, which costs next to nothing.
    """

    __tablename__ = "catalog_search_spelling"

    spelling: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    word: Mapped[str] = mapped_column(BytewiseText, primary_key=True)


class ServiceRow(Base):
    __tablename__ = "catalog_service"
    __table_args__ = (
        CheckConstraint("booking_mode IN ('instant', 'request')", name="booking_mode"),
        CheckConstraint("price_minor > 0", name="price_minor"),
        Index(None, "provider_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"))
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    price_minor: Mapped[int] = mapped_column(MoneyMinor)
    currency: Mapped[str] = mapped_column(Text)
    duration_minutes: Mapped[int]
    booking_mode: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None]
    """Bookings made of it stay, so its row does too."""


class ApprovalRow(Base):
    """Who moved a provider from one status to another, when and why. Rows are only ever added."""

    __tablename__ = "catalog_approval"
    __table_args__ = (Index(None, "provider_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_provider.id"))
    actor_id: Mapped[UUID]
    from_status: Mapped[str] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime]


SEARCHED_WORDS: Final = WordIndex(table=SearchDocumentRow.__tablename__)
PICTURE_ADDRESSES: Final = (
    AddressGuard(ProviderRow.__tablename__, "profile_picture_url"),
    AddressGuard(GalleryRow.__tablename__, "url"),
)


def _ensure(connection: Connection) -> None:
    SEARCHED_WORDS.ensure(connection)
    for guard in PICTURE_ADDRESSES:
        guard.ensure(connection)


history = History(
    name="catalog",
    metadata=Base.metadata,
    folder=Path(__file__).parent / "migrations",
    after_upgrade=_ensure,
    beside=(SEARCHED_WORDS.name,),
)
