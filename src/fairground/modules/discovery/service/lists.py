"""The lists of providers, the distribution of their prices, and the filters that lists and search share."""

from collections.abc import Collection
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from fairground.contracts.discovery import (
    LeanList,
    ListedPage,
    Place,
    PriceBand,
    ProviderList,
    ProviderQuery,
    QueryInvalid,
)
from fairground.contracts.providers import VerticalUnknown
from fairground.kernel.folding import fold, squeezed
from fairground.kernel.money import AmountInvalid, minor_from_major
from fairground.kernel.zones import Clock
from fairground.modules.discovery.domain.availability_summary import free_on
from fairground.modules.discovery.domain.cursors import PageRequest
from fairground.modules.discovery.domain.places import Circle
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.store import listed_providers, lists, price_bands
from fairground.modules.discovery.store.filters import ListFilter
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

_List = TypeVar("_List", ProviderList, LeanList)


class Filters:
    """Reads the filter of a list or a search from its query."""

    def __init__(self, *, verticals: Verticals, clock: Clock, currency: str) -> None:
        self._verticals = verticals
        self._clock = clock
        self._currency = currency

    def read(self, query: ProviderQuery) -> ListFilter:
        """Return the filter of a query.

        Raises:
            VerticalUnknown: There is no such vertical.
            QueryInvalid: A price has more decimals than the currency.
        """
        packs = self._verticals if query.vertical is None else [self._pack(query.vertical)]
        free = None if query.when is None else free_on(query.when, packs=packs, now=self._clock.now())
        # Verticals differ in which starts are in time, but not on a date that is neither near nor far.
        is_apart = free is not None and not free.are_all
        return ListFilter(
            scopes=self.scopes(vertical=query.vertical, category=query.category, apart=is_apart),
            name=fold(query.q or "") or None,
            location=squeezed(query.location or "") or None,
            min_minor=None if query.min_price is None else self._minor("minPrice", query.min_price),
            max_minor=None if query.max_price is None else self._minor("maxPrice", query.max_price),
            min_rating=query.min_rating,
            free_on=free,
            near=None if query.near is None else Circle(**query.near.model_dump()),
        )

    def scopes(self, *, vertical: str | None, category: str | None, apart: bool = False) -> list[str]:
        """Return the lists of a vertical or category; none for an unknown category.

        Args:
            apart: One list for each vertical, instead of the list of all.
        """
        packs = list(self._verticals) if vertical is None else [self._pack(vertical)]
        if category is not None:
            return [f"{pack.key}/{meant.slug}" for pack in packs if (meant := pack.find_category(category))]
        return [pack.key for pack in packs] if apart or vertical is not None else [ALL_PROVIDERS_SCOPE]

    def _pack(self, vertical: str) -> Vertical:
        pack = self._verticals.find(vertical)
        if pack is None:
            raise VerticalUnknown(f"Unknown vertical {vertical!r}.", field="vertical")
        return pack

    def _minor(self, field: str, major: float) -> int:
        try:
            return minor_from_major(Decimal(str(major)), self._currency)
        except AmountInvalid as refusal:
            raise QueryInvalid(f"{refusal.problem}.", hint=f"Send {field} without them.", field=field) from refusal


class Lists:
    def __init__(self, *, db: Database, filters: Filters, prices: PriceScale) -> None:
        self._db = db
        self._filters = filters
        self._prices = prices

    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        return await self._list(query, ProviderList)

    async def search_lean(self, *, query: ProviderQuery) -> LeanList:
        return await self._list(query, LeanList)

    async def get_price_distribution(self, *, vertical: str | None, category: str | None) -> list[PriceBand]:
        scopes = self._filters.scopes(vertical=vertical, category=category)
        if not scopes:
            return []
        async with self._db.read() as tx:
            counts = await price_bands.find_counts(tx, scopes)
        return self._prices.histogram(counts, vertical=vertical)

    async def find_places(self, *, provider_ids: Collection[UUID]) -> dict[UUID, Place]:
        async with self._db.read() as tx:
            return await listed_providers.find_places(tx, provider_ids)

    async def count_listed(self) -> int:
        async with self._db.read() as tx:
            return await listed_providers.count(tx)

    async def list_listed(self, *, page: int, limit: int) -> list[ListedPage]:
        async with self._db.read() as tx:
            return await listed_providers.list_pages(tx, offset=(page - 1) * limit, limit=limit)

    async def _list(self, query: ProviderQuery, kind: type[_List]) -> _List:
        page = PageRequest.of(query)
        list_filter = self._filters.read(query)
        if not list_filter.scopes:
            return kind(data=[], total=0, price_distribution=[])
        async with self._db.read() as tx:
            found = await lists.read_page(tx, list_filter, page, kind=kind)
            if not query.include_price_distribution:
                return found
            counts = await price_bands.find_counts(tx, list_filter.scopes)
        bands = self._prices.histogram(counts, vertical=query.vertical)
        return found.model_copy(update={"price_distribution": bands})
