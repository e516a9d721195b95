"""What everybody may see."""

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from fairground.contracts.catalog import (
    Offer,
    PriceBand,
    ProviderDetail,
    ProviderList,
    ProviderQuery,
    ProviderRef,
    ProviderStatus,
    Service,
    ServiceNotFound,
)
from fairground.kernel.money import minor_from_major
from fairground.modules.catalog.domain.words import fold
from fairground.modules.catalog.service.base import CatalogBase, not_found
from fairground.modules.catalog.store import listing, profiles, services
from fairground.modules.catalog.store.listing import ListFilter

# A list over several verticals has no pack to say where prices part; these suit an evening as well as an hour.
_GENERAL_BANDS: Final = (25, 50, 100, 200, 400, 800, 1600)
_SLUG: Final = re.compile(r"[a-z0-9-]{1,80}")


class Browsing(CatalogBase):
    async def get_currency(self) -> str:
        return self._settings.currency

    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        wanted = self._filter(query)
        if wanted is None:
            return ProviderList(data=[], total=0, price_distribution=[])
        offset = (query.page - 1) * query.limit
        async with self._db.read() as tx:
            cards = await listing.list_cards(tx, wanted, sort=query.sort, limit=query.limit, offset=offset)
            if not query.include_price_distribution:
                total = await listing.count_providers(tx, wanted)
                return ProviderList(data=cards, total=total, price_distribution=[])
            edges = self._band_edges(query.vertical)
            edges_minor = [self._minor(edge) for edge in edges]
            total, counts = await listing.count_with_bands(tx, wanted, edges_minor=edges_minor)
        return ProviderList(data=cards, total=total, price_distribution=_bands(edges, counts))

    def _filter(self, query: ProviderQuery) -> ListFilter | None:
        """Return what the query asks for, or None when its category is unknown and nobody can match."""
        if query.vertical is not None:
            self._pack(query.vertical)
        categories = None
        if query.category is not None:
            categories = self._verticals.find_category_slugs(query.category, vertical=query.vertical)
            if not categories:
                return None
        return ListFilter(
            vertical=query.vertical,
            categories=categories,
            name=fold(query.q or "") or None,
            location=fold(query.location or "") or None,
            min_minor=None if query.min_price is None else self._minor(query.min_price),
            max_minor=None if query.max_price is None else self._minor(query.max_price),
        )

    def _band_edges(self, vertical: str | None) -> Sequence[int]:
        return _GENERAL_BANDS if vertical is None else self._pack(vertical).prices.bands

    def _minor(self, major: float) -> int:
        return minor_from_major(Decimal(str(major)), self._settings.currency)

    async def get_provider(self, *, id_or_slug: str) -> ProviderDetail:
        provider_id = _as_id(id_or_slug)
        # What no slug looks like is not worth a question, and a NUL would upset PostgreSQL.
        if provider_id is None and not _SLUG.fullmatch(id_or_slug):
            raise not_found(repr(id_or_slug))
        async with self._db.read() as tx:
            provider = await profiles.find_approved(tx, provider_id=provider_id, slug=id_or_slug)
        if provider is None:
            raise not_found(id_or_slug)
        return provider

    async def list_services(self, *, provider_id: UUID, viewer_id: UUID | None) -> list[Service]:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
            if provider is None or not _may_see(provider, viewer_id):
                raise not_found(provider_id)
            return (await services.list_services(tx, [provider_id]))[provider_id]

    async def get_offer(self, *, service_id: UUID) -> Offer:
        async with self._db.read() as tx:
            offer = await services.find_offer(tx, service_id)
        if offer is None:
            raise ServiceNotFound(f"There is no service {service_id}.")
        return offer

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
        if provider is None:
            raise not_found(provider_id)
        return provider

    async def find_provider_refs(self, *, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]:
        async with self._db.read() as tx:
            return {provider.id: provider for provider in await profiles.list_refs(tx, provider_ids)}

    async def find_provider_owned_by(self, *, owner_id: UUID) -> ProviderRef | None:
        async with self._db.read() as tx:
            return await profiles.find_ref_owned_by(tx, owner_id)


def _may_see(provider: ProviderRef, viewer_id: UUID | None) -> bool:
    return provider.status is ProviderStatus.APPROVED or (viewer_id is not None and provider.owner_id == viewer_id)


def _as_id(id_or_slug: str) -> UUID | None:
    try:
        return UUID(id_or_slug)
    except ValueError:
        return None


def _bands(edges: Sequence[int], counts: Sequence[int]) -> list[PriceBand]:
    bounds = zip([0, *edges], [*edges, None], counts, strict=True)
    return [PriceBand(min_price=lowest, max_price=below, count=count) for lowest, below, count in bounds]
