"""Verticals and their categories, as the packs describe them."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from fairground.contracts.providers import Providers, VerticalUnknown
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.verticals.cancellation_policy import CancellationPolicy
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import BookingRules, Vertical, Words

_EVERY_CATEGORY = "categories"


class VerticalOut(BaseModel):
    key: str
    title: str
    words: Words
    currency: str
    price_per: str
    """What one price buys, in words."""
    booking: BookingRules
    cancellation: CancellationPolicy


class VerticalListOut(BaseModel):
    data: list[VerticalOut]
    total: int


class CategoryQuery(BaseModel):
    vertical: str | None = None


class CategoryOut(BaseModel):
    slug: str
    name: str
    description: str
    vertical: str


class CategoryListOut(BaseModel):
    data: list[CategoryOut]
    total: int


def routes(providers: Providers, verticals: Verticals) -> APIRouter:
    router = api_router(tags=["verticals"])

    @router.get("/verticals")
    @cached(CachePolicy(route="verticals", life=Life.PACKS))
    async def list_verticals() -> VerticalListOut:
        """List all verticals with their wording, rules and currency."""
        currency = await providers.get_currency()
        data = [_vertical(pack, currency=currency) for pack in verticals]
        return VerticalListOut(data=data, total=len(data))

    @router.get(f"/{_EVERY_CATEGORY}")
    @cached(CachePolicy(route=_EVERY_CATEGORY, life=Life.PACKS, query=CategoryQuery))
    @refuses(VerticalUnknown)
    async def list_categories(query: Annotated[CategoryQuery, Query()]) -> CategoryListOut:
        """List the categories of all verticals, or of one."""
        if not query.vertical:
            return _categories(verticals)
        pack = verticals.find(query.vertical)
        if pack is None:
            raise VerticalUnknown(f"Unknown vertical {query.vertical!r}.", field="vertical")
        return _categories([pack])

    for word, packs in _packs_by_word(verticals).items():
        policy = CachePolicy(route=word, life=Life.PACKS)
        router.get(f"/{word}", name=f"list_{word}", summary=f"List {word}")(cached(policy)(_list_of_word(packs)))
    return router


def _packs_by_word(verticals: Verticals) -> dict[str, list[Vertical]]:
    """Return the packs by their word for categories, where a path can contain it: tutors have /subjects."""
    found: dict[str, list[Vertical]] = defaultdict(list)
    for pack in verticals:
        word = pack.words.categories
        if word.isascii() and word.isalpha() and word not in {_EVERY_CATEGORY, *(each.key for each in verticals)}:
            found[word.lower()].append(pack)
    return found


def _list_of_word(packs: list[Vertical]) -> Callable[[], Awaitable[CategoryListOut]]:
    async def list_categories_of_pack() -> CategoryListOut:
        """List the categories of the verticals that use this word for them."""
        return _categories(packs)

    return list_categories_of_pack


def _categories(packs: Iterable[Vertical]) -> CategoryListOut:
    data = [
        CategoryOut(slug=category.slug, name=category.name, description=category.description, vertical=pack.key)
        for pack in packs
        for category in pack.categories
    ]
    return CategoryListOut(data=data, total=len(data))


def _vertical(pack: Vertical, *, currency: str) -> VerticalOut:
    return VerticalOut(
        key=pack.key,
        title=pack.title,
        words=pack.words,
        currency=currency,
        price_per=pack.prices.per,
        booking=pack.booking,
        cancellation=pack.cancellation,
    )
