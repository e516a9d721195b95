"""The lists of providers, and how their prices spread."""

from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from fairground.contracts.catalog import (
    LeanList,
    PriceBand,
    ProviderList,
    ProviderQuery,
    ProviderSort,
    QueryInvalid,
)
from fairground.kernel.money import AmountInvalid, minor_from_major
from fairground.modules.catalog.domain.cursors import Cursor
from fairground.modules.catalog.domain.free_days import free_on
from fairground.modules.catalog.domain.places import Circle
from fairground.modules.catalog.domain.words import fold, squeezed
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.store import listing, price_bands
from fairground.modules.catalog.store.list_filter import ListFilter
from fairground.modules.catalog.store.list_statements import PageOf
from fairground.modules.catalog.store.listing import Listed
from fairground.modules.catalog.tables import EVERYBODY, NO_PRICE_BAND
from fairground.platform.db.database import ReadTx

_COUNTED_AT_MOST: Final = 1_000
_Provider = TypeVar("_Provider")


class _Lister(Protocol[_Provider]):
    async def __call__(self, tx: ReadTx, wanted: ListFilter, page: PageOf, *, count_to: int) -> Listed[_Provider]: ...


class Lists(CatalogBase):
    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        data, facts = await self._search(query, listing.list_full)
        return ProviderList(data=data, **facts)

    async def search_lean(self, *, query: ProviderQuery) -> LeanList:
        data, facts = await self._search(query, listing.list_lean)
        return LeanList(data=data, **facts)

    async def get_price_distribution(self, *, vertical: str | None, category: str | None) -> list[PriceBand]:
        scopes = self._scopes(vertical=vertical, category=category)
        if not scopes:
            return []
        async with self._db.read() as tx:
            counts = await price_bands.find_counts(tx, scopes)
        return self._prices.histogram(counts, vertical=vertical)

    async def count_prices_if_bands_changed(self) -> None:
        """Count all lists anew when a pack says other bands than they were counted by."""
        async with self._db.read() as tx:
            counted_by = await price_bands.list_bands(tx, EVERYBODY)
        if set(counted_by) != {NO_PRICE_BAND, *self._prices.fine_minor}:
            async with self._db.write() as tx:
                await price_bands.count_anew(tx, scale_minor=self._prices.fine_minor)

    async def _search(
        self, query: ProviderQuery, list_page: _Lister[_Provider]
    ) -> tuple[list[_Provider], dict[str, Any]]:
        """Return a page of providers, and the facts that stand beside them in the answer."""
        page = _page(query)
        wanted = self._filter(query)
        if not wanted.scopes:
            return [], {"total": 0, "price_distribution": []}
        async with self._db.read() as tx:
            count_to = _COUNTED_AT_MOST + 1 if wanted.is_narrowed else 0
            found = await list_page(tx, wanted, page, count_to=count_to)
            total = await listing.count_up_to(tx, wanted, most=count_to) if found.counted is None else found.counted
            bands: list[PriceBand] = []
            if query.include_price_distribution:
                counts = await price_bands.find_counts(tx, wanted.scopes)
                bands = self._prices.histogram(counts, vertical=query.vertical)
        return found.providers, {
            "total": min(total, _COUNTED_AT_MOST) if wanted.is_narrowed else total,
            "total_is_lower_bound": wanted.is_narrowed and total > _COUNTED_AT_MOST,
            "price_distribution": bands,
            "next_cursor": found.end.write() if found.end else None,
        }

    def _filter(self, query: ProviderQuery) -> ListFilter:
        packs = self._verticals if query.vertical is None else [self._pack(query.vertical)]
        free = None if query.when is None else free_on(query.when, packs=packs, now=self._clock.now())
        # Which starts are in time is another question in each vertical, but not of a date that is neither near nor far.
        is_apart = free is not None and not free.are_all
        return ListFilter(
            scopes=self._scopes(vertical=query.vertical, category=query.category, apart=is_apart),
            name=fold(query.q or "") or None,
            location=squeezed(query.location or "") or None,
            min_minor=None if query.min_price is None else self._minor("minPrice", query.min_price),
            max_minor=None if query.max_price is None else self._minor("maxPrice", query.max_price),
            min_rating=query.min_rating,
            free_on=free,
            near=None if query.near is None else Circle(**query.near.model_dump()),
        )

    def _scopes(self, *, vertical: str | None, category: str | None, apart: bool = False) -> list[str]:
        """Return the lists that hold whom the words mean, with `apart` one for each vertical; none for no such word."""
        packs = list(self._verticals) if vertical is None else [self._pack(vertical)]
        if category is not None:
            return [f"{pack.key}/{meant.slug}" for pack in packs if (meant := pack.find_category(category))]
        return [pack.key for pack in packs] if apart or vertical is not None else [EVERYBODY]

    def _minor(self, field: str, major: float) -> int:
        try:
            return minor_from_major(Decimal(str(major)), self._settings.currency)
        except AmountInvalid as refusal:
            raise QueryInvalid(f"{refusal.problem}.", hint=f"Send {field} without them.", field=field) from refusal


def _page(query: ProviderQuery) -> PageOf:
    if query.sort is ProviderSort.DISTANCE and query.near is None:
        raise QueryInvalid("A list by distance needs a place.", hint="Send lat and lng.", field="sort")
    if query.cursor is not None:
        after = Cursor.read(query.cursor, sort=query.sort)
        return PageOf(sort=query.sort, limit=query.limit, offset=0, after=after)
    return PageOf(sort=query.sort, limit=query.limit, offset=(query.page - 1) * query.limit)
