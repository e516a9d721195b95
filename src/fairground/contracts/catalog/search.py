"""Search by words, as it crosses the border of the catalog."""

from datetime import date
from typing import Final
from uuid import UUID

from pydantic import Field

from fairground.contracts.catalog.providers import Near, PriceBand, ProviderCard
from fairground.contracts.dto import DTO

SEARCH_MAX_LENGTH: Final = 200
SEARCH_MAX_RESULTS: Final = 1_000  # ranked, counted and shown; nobody reads on so far


class SearchQuery(DTO):
    """A question in words, and what the answers must have besides, as a list takes it."""

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
    """`next_cursor` of a page of the same question: go on behind it, whatever `page` says."""
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
    """At least so many stars."""
    prices: list[PriceBand]


class Correction(DTO):
    """Nobody has the word as it was typed, so it was taken for another."""

    typed: str
    meant: str


class SearchResult(DTO):
    data: list[ProviderCard]
    total: int
    """At most 1,000, of which the facets are counted too."""
    total_is_lower_bound: bool
    facets: SearchFacets
    corrections: list[Correction]
    next_cursor: str | None = None
    """To what follows; None where nothing does."""


class IndexStep(DTO):
    """Providers that were looked at in one transaction."""

    count: int
    last_id: UUID
