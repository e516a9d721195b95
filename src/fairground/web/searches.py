"""A search as it stands in an address: read leniently, because people edit and share addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict

from fairground.contracts.discovery import PriceBand, ProviderQuery, ProviderSort, SearchQuery
from fairground.kernel.text import shown_line
from fairground.web.addresses import read_date, read_number

PAGE_LENGTH: Final = 24
PAGES_MAX: Final = 500  # deeper pages are read by machines, and cost the database every row before them
TEXT_MAX_LENGTH: Final = 80
PRICE_MAX: Final = 10_000_000
FIRST_YEAR: Final = 2000
SORTS: Final = tuple(sort for sort in ProviderSort if sort is not ProviderSort.DISTANCE)  # a page knows no place
RATINGS: Final = ("4.5", "4", "3")
"""The least stars that can be asked for."""
HISTOGRAM_HEIGHT: Final = 40
HISTOGRAM_BAR: Final = 10


def _read_text(value: str) -> str:
    return shown_line(value, most=TEXT_MAX_LENGTH)


def _read_price(value: object) -> int | None:
    return read_number(value, most=PRICE_MAX)


def _read_when(value: object) -> date | None:
    day = read_date(value)
    # Who types a year is asked for what stands there after each of its digits.
    return day if day and day.year >= FIRST_YEAR else None


def _read_page(value: object) -> int:
    return read_number(value, most=PAGES_MAX) or 1


def _read_sort(value: str) -> ProviderSort:
    return next((sort for sort in SORTS if sort == value), ProviderSort.MOST_BOOKED)


def _read_rating(value: str) -> str:
    return value if value in RATINGS else ""


_Text = Annotated[str, BeforeValidator(_read_text)]
_Price = Annotated[int | None, BeforeValidator(_read_price)]


class SearchWords(BaseModel):
    """The part of a search behind the question mark. What cannot be understood counts as not said."""

    model_config = ConfigDict(frozen=True)

    category: _Text = ""
    q: _Text = ""
    location: _Text = ""
    min_price: _Price = None
    max_price: _Price = None
    min_rating: Annotated[str, BeforeValidator(_read_rating)] = ""
    when: Annotated[date | None, BeforeValidator(_read_when)] = None
    """A date on which they are free."""
    sort: Annotated[ProviderSort, BeforeValidator(_read_sort)] = ProviderSort.MOST_BOOKED
    page: Annotated[int, BeforeValidator(_read_page)] = 1


class Search(SearchWords):
    vertical: _Text = ""

    @classmethod
    def read(cls, params: Mapping[str, str], *, vertical: str = "") -> Self:
        """Return the search that the parameters ask for."""
        return cls.model_validate({**params, "vertical": vertical or params.get("vertical", "")})

    @property
    def path(self) -> str:
        return f"/c/{self.vertical}" if self.vertical else "/s"

    @property
    def is_narrowed(self) -> bool:
        has_price = self.min_price is not None or self.max_price is not None
        return bool(self.category or self.q or self.location or self.min_rating or self.when or has_price)

    def url(self, **changes: Any) -> str:
        """Return the address of this search with some of it changed; a change leads to the first page."""
        wanted = self.model_copy(update={"page": 1, **changes})
        values = {
            "category": wanted.category,
            "q": wanted.q,
            "location": wanted.location,
            "min_price": wanted.min_price,
            "max_price": wanted.max_price,
            "min_rating": wanted.min_rating,
            "when": wanted.when,
            "sort": "" if wanted.sort is ProviderSort.MOST_BOOKED else wanted.sort.value,
            "page": "" if wanted.page == 1 else wanted.page,
        }
        query = urlencode({name: value for name, value in values.items() if value not in ("", None)})
        return wanted.path + (f"?{query}" if query else "")

    @property
    def map_url(self) -> str:
        """The address of the part that shows this page of results on a map."""
        path, mark, query = self.page_url(self.page).partition("?")
        return f"/_f{path}/map{mark}{query}"

    def provider_url(self, slug: str) -> str:
        """Return the address of a provider's page, open at the date that is searched for."""
        return f"/p/{slug}?date={self.when}" if self.when else f"/p/{slug}"

    def page_url(self, page: int) -> str:
        return self.url(page=page)

    def list_query(self, *, with_prices: bool = False) -> ProviderQuery:
        """Return the question to the list, which has an order but no words.

        Args:
            with_prices: Asks for the price distribution as well, which costs a statement of its own.
        """
        return ProviderQuery(**self._filters(), sort=self.sort, include_price_distribution=with_prices)

    def search_query(self) -> SearchQuery:
        """Return the question in words; the best match comes first, whatever the sort."""
        return SearchQuery(**self._filters(), q=self.q)

    def _filters(self) -> dict[str, Any]:
        return {
            "vertical": self.vertical or None,
            "category": self.category or None,
            "location": self.location or None,
            "min_price": self.min_price,
            "max_price": self.max_price,
            "min_rating": float(self.min_rating) if self.min_rating else None,
            "when": self.when,
            "page": self.page,
            "limit": PAGE_LENGTH,
        }


@dataclass(frozen=True, slots=True)
class Bar:
    """One band of the price histogram, in the units of its drawing."""

    x: int
    y: float
    height: float
    is_wanted: bool


def price_bars(bands: list[PriceBand], *, search: Search) -> list[Bar]:
    """Return the histogram of the bands; the tallest bar fills the height."""
    tallest = max((band.count for band in bands), default=0)
    bars = []
    for place, band in enumerate(bands):
        height = HISTOGRAM_HEIGHT * band.count / tallest if tallest else 0.0
        bars.append(
            Bar(
                x=place * HISTOGRAM_BAR,
                y=round(HISTOGRAM_HEIGHT - height, 1),
                height=round(height, 1),
                is_wanted=_is_wanted(band, search),
            )
        )
    return bars


def _is_wanted(band: PriceBand, search: Search) -> bool:
    reaches_up = search.min_price is None or band.max_price is None or band.max_price > search.min_price
    reaches_down = search.max_price is None or band.min_price <= search.max_price
    return reaches_up and reaches_down
