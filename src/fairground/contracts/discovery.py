"""Discovery: finding providers by filter, by words and by distance, in a read model that follows their changes."""

import re
from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

from pydantic import AfterValidator, Field, computed_field

from fairground.contracts.dto import DTO
from fairground.contracts.providers import ProviderCard
from fairground.kernel.errors import Invalid

SEARCH_MAX_LENGTH: Final = 200
SEARCH_MAX_RESULTS: Final = 1_000  # ranked, counted and shown
_KEY: Final = re.compile(r"[a-z0-9-]{1,80}")


class QueryInvalid(Invalid):
    code = "catalog.query_invalid"


def list_tag(vertical: str | None) -> str:
    """Return the tag of the lists and searches of a vertical; without one, of those over all verticals."""
    return f"providers:{vertical}" if vertical and _KEY.fullmatch(vertical) else "providers"


def free_tag(day: date | None) -> str:
    """Return the tag of the providers that are free on a day; without one, on any day."""
    return f"free:{day}" if day else "free"


def free_tags(day: date | None) -> tuple[str, ...]:
    """Return the further tags of a list of the providers that are free on a day; none without a day."""
    return (free_tag(None), free_tag(day)) if day else ()


class ProviderSort(StrEnum):
    MOST_BOOKED = "most_booked"
    TOP_RATED = "top_rated"
    NEWEST = "newest"
    PRICE = "price"
    DISTANCE = "distance"
    """From the query's `near`, which must be given."""


class CardField(StrEnum):
    """What a list can show of a provider; `fields` names some of them."""

    ID = "id"
    USER_ID = "user_id"
    """The id again: in the system that this list follows, a provider was numbered by its user."""
    SLUG = "slug"
    BUSINESS_NAME = "business_name"
    PROFILE_PICTURE_URL = "profile_picture_url"
    CUSTOM_SUBTITLE = "custom_subtitle"
    LOCATION = "location"
    SERVICE_CATEGORIES = "service_categories"
    PRICE_FROM_MINOR = "price_from_minor"
    CURRENCY = "currency"
    RATING = "rating"
    RATING_COUNT = "rating_count"
    BOOK_COUNT = "book_count"
    DISTANCE_KM = "distance_km"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class ListedProvider(ProviderCard):
    """A card, and the further fields that `fields` can name."""

    distance_km: float | None = None
    """From the query's `near`."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def user_id(self) -> UUID:
        """The provider's id, never the id of an account."""
        return self.id

    created_at: datetime
    updated_at: datetime


class LeanProvider(DTO):
    """The fields of a card that are quickest to read."""

    id: UUID
    business_name: str
    profile_picture_url: str | None
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator]
    @property
    def user_id(self) -> UUID:
        """The provider's id, never the id of an account."""
        return self.id


LEAN_FIELDS: Final = frozenset({*map(CardField, LeanProvider.model_fields), CardField.USER_ID})


def _to_a_hundredth(degrees: float) -> float:
    return round(degrees, 2) + 0.0  # which makes one zero of two


class Place(DTO):
    """A point on the map, exact to a hundredth of a degree: about a kilometre, which names a quarter but no house."""

    lat: Annotated[float, Field(ge=-90, le=90), AfterValidator(_to_a_hundredth)]
    lng: Annotated[float, Field(ge=-180, le=180), AfterValidator(_to_a_hundredth)]


class Near(Place):
    """A circle on the map. Its middle is as exact as a place, so the queries of neighbours are equal."""

    radius_km: float = Field(default=50, ge=1, le=200)


class ProviderQuery(DTO):
    """The filters and the page of a list. Prices are in major units, as in the public API."""

    vertical: str | None = None
    category: str | None = None
    location: str | None = None
    q: str | None = None
    """A prefix of the name or of a word in it."""
    min_price: float | None = Field(default=None, ge=0, le=1e9)
    max_price: float | None = Field(default=None, ge=0, le=1e9)
    min_rating: float | None = Field(default=None, ge=1, le=5)
    when: date | None = None
    """A date where the provider is, on which some service of theirs can still start."""
    near: Near | None = None
    sort: ProviderSort = ProviderSort.MOST_BOOKED
    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None
    """`next_cursor` of a page of the same sort: continues after it, and `page` is ignored."""
    include_price_distribution: bool = False


class PriceBand(DTO):
    """How many providers start at `min_price` or more and below `max_price` (None: no upper edge), in major units."""

    min_price: int
    max_price: int | None
    count: int


class _Page(DTO):
    data: list[Any]
    total: int
    """How many match; where a filter is set, no more than 1,000 are counted."""
    price_distribution: list[PriceBand]
    """Of the vertical and category, without the other filters; empty unless the query includes it."""
    total_is_lower_bound: bool = False
    next_cursor: str | None = None
    """None when nothing follows."""


class ProviderList(_Page):
    data: list[ListedProvider]


class LeanList(_Page):
    data: list[LeanProvider]


class SearchQuery(DTO):
    """Words, and the filters of a list."""

    q: str = Field(max_length=SEARCH_MAX_LENGTH)
    vertical: str | None = None
    category: str | None = None
    location: str | None = None
    min_price: float | None = Field(default=None, ge=0, le=1e9)
    max_price: float | None = Field(default=None, ge=0, le=1e9)
    min_rating: float | None = Field(default=None, ge=1, le=5)
    when: date | None = None
    near: Near | None = None
    page: int = Field(default=1, ge=1, le=SEARCH_MAX_RESULTS)
    cursor: str | None = None
    """`next_cursor` of a page of the same query: continues after it, and `page` is ignored."""
    limit: int = Field(default=20, ge=1, le=100)


class FacetCount(DTO):
    value: str
    """What the parameter of the same subject takes to narrow the search."""
    count: int


class SearchFacets(DTO):
    """How many results there are of each kind, the most frequent first; of ratings and prices in their order."""

    verticals: list[FacetCount]
    categories: list[FacetCount]
    places: list[FacetCount]
    ratings: list[FacetCount]
    """At least this many stars."""
    prices: list[PriceBand]


class Correction(DTO):
    """No provider has the word as it was typed, so another one was searched for."""

    typed: str
    meant: str


class SearchResult(DTO):
    data: list[ProviderCard]
    total: int
    """At most SEARCH_MAX_RESULTS; facets count the same providers."""
    total_is_lower_bound: bool
    facets: SearchFacets
    corrections: list[Correction]
    next_cursor: str | None = None
    """Of the next page; None on the last one."""


class RebuildStep(DTO):
    """Providers whose rows of the read model were written again in one transaction."""

    count: int
    last_id: UUID


class ListedPage(DTO):
    """The public page of a provider."""

    slug: str
    updated_at: datetime


class Discovery(Protocol):
    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        """Return a page of approved providers; for an unknown category an empty list.

        Raises:
            VerticalUnknown: There is no such vertical.
            QueryInvalid: The cursor is not of this sort, or the sort is by distance and `near` is not set.
        """
        ...

    async def search_lean(self, *, query: ProviderQuery) -> LeanList:
        """Return the page of `search_providers` with the fields that are quickest to read."""
        ...

    async def get_price_distribution(self, *, vertical: str | None, category: str | None) -> list[PriceBand]:
        """Return how many providers start in which price band; none for an unknown category.

        Raises:
            VerticalUnknown: There is no such vertical.
        """
        ...

    async def search(self, *, query: SearchQuery) -> SearchResult:
        """Return approved providers who have every word of `q`, in any spelling, the best match first.

        A word is found in names, categories and their aliases, places, services and texts; a rare one may have a typing
        mistake or two. Without a word, or in an unknown category, there are no results.

        Raises:
            VerticalUnknown: There is no such vertical.
            QueryInvalid: The cursor is not of a search.
        """
        ...

    async def count_listed(self) -> int:
        """Return how many providers are listed."""
        ...

    async def list_listed(self, *, page: int, limit: int) -> list[ListedPage]:
        """Return the pages of listed providers in the order of their ids, for sitemaps."""
        ...

    async def find_places(self, *, provider_ids: Collection[UUID]) -> dict[UUID, Place]:
        """Return the places of approved providers, without providers that have none."""
        ...

    async def rebuild(self, *, after: UUID | None) -> RebuildStep | None:
        """Write the rows of the next 500 providers again, in the order of their ids; None when there are none."""
        ...
