"""The lists of providers, and the distribution of their prices."""

from collections.abc import Collection
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from fairground.contracts.discovery import (
    LeanList,
    Place,
    PriceBand,
    ProviderList,
    ProviderQuery,
    ProviderSort,
    QueryInvalid,
)
from fairground.modules.discovery.domain.cursors import Cursor
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.service.filters import Filters
from fairground.modules.discovery.store import listed_providers, listing, price_bands
from fairground.modules.discovery.store.list_filter import ListFilter
from fairground.modules.discovery.store.list_statements import PageRequest
from fairground.modules.discovery.store.listing import PageResult
from fairground.platform.db.database import Database, ReadTx

_COUNTED_MAX: Final = 1_000
_Provider = TypeVar("_Provider")


class _PageReader(Protocol[_Provider]):
    async def __call__(
        self, tx: ReadTx, wanted: ListFilter, page: PageRequest, *, count_to: int
    ) -> PageResult[_Provider]: ...


class Lists:
    def __init__(self, *, db: Database, filters: Filters, prices: PriceScale) -> None:
        self._db = db
        self._filters = filters
        self._prices = prices

    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        data, facts = await self._list(query, listing.list_full)
        return ProviderList(data=data, **facts)

    async def search_lean(self, *, query: ProviderQuery) -> LeanList:
        data, facts = await self._list(query, listing.list_lean)
        return LeanList(data=data, **facts)

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

    async def _list(
        self, query: ProviderQuery, read_page: _PageReader[_Provider]
    ) -> tuple[list[_Provider], dict[str, Any]]:
        """Return the providers of a page, and the other fields of the answer."""
        page = _page(query)
        wanted = self._filters.read(query)
        if not wanted.scopes:
            return [], {"total": 0, "price_distribution": []}
        async with self._db.read() as tx:
            count_to = _COUNTED_MAX + 1 if wanted.is_narrowed else 0
            found = await read_page(tx, wanted, page, count_to=count_to)
            total = await listing.count_up_to(tx, wanted, most=count_to) if found.counted is None else found.counted
            bands: list[PriceBand] = []
            if query.include_price_distribution:
                counts = await price_bands.find_counts(tx, wanted.scopes)
                bands = self._prices.histogram(counts, vertical=query.vertical)
        return found.providers, {
            "total": min(total, _COUNTED_MAX) if wanted.is_narrowed else total,
            "total_is_lower_bound": wanted.is_narrowed and total > _COUNTED_MAX,
            "price_distribution": bands,
            "next_cursor": found.end.write() if found.end else None,
        }


def _page(query: ProviderQuery) -> PageRequest:
    if query.sort is ProviderSort.DISTANCE and query.near is None:
        raise QueryInvalid("A list by distance needs a place.", hint="Send lat and lng.", field="sort")
    if query.cursor is not None:
        after = Cursor.read(query.cursor, sort=query.sort)
        return PageRequest(sort=query.sort, limit=query.limit, offset=0, after=after)
    return PageRequest(sort=query.sort, limit=query.limit, offset=(query.page - 1) * query.limit)
