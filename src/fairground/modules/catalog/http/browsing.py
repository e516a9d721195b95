"""The lists of providers, one over all verticals and one for each pack, and the page of a provider."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.catalog import Catalog, ProviderDetail, ProviderList, ProviderQuery, ProviderSort
from fairground.platform.http.routing import api_router
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

_Price = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]
_PageSize = Annotated[int, Field(ge=1, le=100)]


class ListQuery(BaseModel):
    """What both kinds of list take. Parameters of other names are passed over."""

    model_config = ConfigDict(frozen=True)

    category: str | None = Field(default=None, description="A category's slug, name or alias, in any spelling.")
    location: str | None = Field(default=None, description="A prefix of the location, or of a word in it.")
    q: str | None = Field(default=None, description="A prefix of the name, or of a word in it.")
    sort: ProviderSort = ProviderSort.MOST_BOOKED
    min_price: _Price = Field(default=None, alias="minPrice", description="Lowest price at least, in major units.")
    max_price: _Price = Field(default=None, alias="maxPrice", description="Lowest price at most, in major units.")
    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: _PageSize = 20
    include_price_distribution: bool = Field(default=True, description="False gives an empty `price_distribution`.")


class AllProvidersQuery(ListQuery):
    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")


class PackQuery(ListQuery):
    per_page: _PageSize | None = Field(default=None, description="Another name of `limit`, which it overrides.")


def routes(catalog: Catalog, verticals: Verticals) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/service-provider-profiles/")
    async def list_providers(query: Annotated[AllProvidersQuery, Query()]) -> ProviderList:
        return await catalog.search_providers(query=_asked(query, vertical=query.vertical, limit=query.limit))

    @router.get("/service-provider-profiles/{id_or_slug}")
    async def get_provider(id_or_slug: str) -> ProviderDetail:
        return await catalog.get_provider(id_or_slug=id_or_slug)

    for pack in verticals:
        router.get(f"/{pack.key}", summary=f"List {pack.words.providers}")(_list_of_pack(catalog, pack))
    return router


def _list_of_pack(catalog: Catalog, pack: Vertical) -> Callable[[PackQuery], Awaitable[ProviderList]]:
    async def list_providers_of_pack(query: Annotated[PackQuery, Query()]) -> ProviderList:
        limit = query.per_page or query.limit
        return await catalog.search_providers(query=_asked(query, vertical=pack.key, limit=limit))

    return list_providers_of_pack


def _asked(query: ListQuery, *, vertical: str | None, limit: int) -> ProviderQuery:
    # A form sends the fields that its user left empty.
    return ProviderQuery(
        vertical=vertical or None,
        category=query.category or None,
        location=query.location,
        q=query.q,
        min_price=query.min_price,
        max_price=query.max_price,
        sort=query.sort,
        page=query.page,
        limit=limit,
        include_price_distribution=query.include_price_distribution,
    )
