"""Tables of discovery: the read model of approved providers, each index beside the query that it answers."""

from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import READ_FROM_INDEXES
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
ALL_PROVIDERS_SCOPE: Final = ""
"""The scope of the list of all approved providers."""
MAYBE_ANY_DAY: Final = -1
"""All bits: the default of documents from before the column, whose summaries are then consulted."""
NO_PRICE_BAND: Final = -1
"""The band of providers without a price, which no histogram shows."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class ListedProviderRow(Base):
    """An approved provider as lists and search results show it, copied from its last snapshot."""

    __tablename__ = "discovery_listed_provider"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    """Of the snapshot."""
    vertical: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    business_name: Mapped[str] = mapped_column(Text)
    profile_picture_url: Mapped[str | None] = mapped_column(Text)
    custom_subtitle: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str] = mapped_column(Text)
    categories: Mapped[str] = mapped_column(Text)
    """Slugs between spaces, in the order in which the provider named them."""
    price_from_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    currency: Mapped[str | None] = mapped_column(Text)
    rating_avg: Mapped[float]
    rating_count: Mapped[int]
    book_count: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    lat: Mapped[float | None]
    lng: Mapped[float | None]


_SORT_KEYS: Final = ("book_count", "rating_avg", "created_at", "price_sort_minor")
_ALWAYS_FILTERED: Final = ("open_days", "folded_location")


def _list_index(name: str, *columns: str) -> Index:
    return Index(f"ix_discovery_list_entry__{name}", "scope", *columns)


class ListEntryRow(Base):
    """An approved provider in one list: of all providers, of its vertical, or of one of its categories.

    A list is one range of one index, whatever its sort. The indexes end with the filter columns, so an entry that does
    not match is skipped without fetching its row.
    """

    __tablename__ = "discovery_list_entry"

    # The columns of each index, in this order, are those of `store/lists.py`.
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    """ALL_PROVIDERS_SCOPE, `artists`, or `artists/dj`."""
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

    __tablename__ = "discovery_price_band"

    scope: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    from_minor: Mapped[int] = mapped_column(MoneyMinor, primary_key=True)
    """Or NO_PRICE_BAND."""
    providers: Mapped[int]


class WeekRow(Base):
    """The weekly pattern of a provider's availability summary; its lock serialises the writers of the provider's rows.

    A provider without a summary yet has one of version 0 without any start.
    """

    __tablename__ = "discovery_week"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    timezone: Mapped[str] = mapped_column(Text)
    last_starts: Mapped[str] = mapped_column(BytewiseText)
    """The last start of each day from Monday on, as `1730`, or four spaces on a day without any: 28 characters."""
    min_notice_hours: Mapped[int | None]
    """The provider's own notice; None for the vertical's."""


class DayRow(Base):
    """An exceptional day: its last start differs from the weekly pattern."""

    __tablename__ = "discovery_day"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last_start: Mapped[str] = mapped_column(BytewiseText)


class NamePhraseRow(Base):
    """Every tail of a folded name that begins with a word, so that an index finds words by a prefix."""

    __tablename__ = "discovery_name_phrase"
    __table_args__ = (Index(None, "provider_id"),)

    phrase: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)


class LocationPhraseRow(Base):
    """Every ending of a folded location, without its spaces, so that an index finds any part of it by a prefix.

    Shared by the providers of a location. Rows are never deleted: one without providers costs a lookup without results.
    """

    __tablename__ = "discovery_location_phrase"

    phrase: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    folded_location: Mapped[str] = mapped_column(BytewiseText, primary_key=True)


class SearchDocumentRow(Base):
    """The folded words by which search finds an approved provider (domain/search/documents.py)."""

    __tablename__ = "discovery_search_document"
    __table_args__ = (UniqueConstraint("provider_id"),)

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    provider_id: Mapped[UUID]
    vertical: Mapped[str] = mapped_column(Text)
    """This and the next four are copies, so that thousands are ranked and facets counted without a join."""
    location: Mapped[str] = mapped_column(Text)
    price_from_minor: Mapped[int | None] = mapped_column(MoneyMinor)
    book_count: Mapped[int]
    rating_avg: Mapped[float]
    name: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    categories: Mapped[str] = mapped_column(Text)
    services: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    """Full-text index input only (SEARCHED_WORDS)."""
    open_days: Mapped[int] = mapped_column(server_default=str(MAYBE_ANY_DAY))
    """A copy of the list entries' column."""


class SearchSpellingRow(Base):
    """From a shortened spelling to the words of documents that it may have come from (domain/search/spelling.py).

    Rows are never deleted: a word that no document has any more costs a lookup without results.
    """

    __tablename__ = "discovery_search_spelling"

    spelling: Mapped[str] = mapped_column(BytewiseText, primary_key=True)
    word: Mapped[str] = mapped_column(BytewiseText, primary_key=True)


SEARCHED_WORDS: Final = WordIndex(table=SearchDocumentRow.__tablename__)
history = History(
    name="discovery",
    metadata=Base.metadata,
    folder=Path(__file__).parent / "migrations",
    after_upgrade=SEARCHED_WORDS.ensure,
    beside=(SEARCHED_WORDS.name,),
)
