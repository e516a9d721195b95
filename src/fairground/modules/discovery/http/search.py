"""Search by words."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from fairground.contracts.discovery import SEARCH_MAX_LENGTH, SEARCH_MAX_RESULTS, Discovery, SearchQuery, SearchResult
from fairground.modules.discovery.http.filters import Filters, list_tags, unknown_category, with_avatar
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.routing import api_router
from fairground.verticals.loader import Verticals


class SearchParameters(Filters):
    q: str = Field(
        max_length=SEARCH_MAX_LENGTH,
        description="Words of a name, category, place, service or text, or how they begin, in any order and spelling.",
    )
    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")
    page: int = Field(default=1, ge=1, le=SEARCH_MAX_RESULTS)
    cursor: str | None = Field(
        default=None,
        description="`next_cursor` of an answer to the same question: go on behind it; `page` is passed over.",
    )
    limit: int = Field(default=20, ge=1, le=100)


def routes(discovery: Discovery, verticals: Verticals) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/search")
    @cached(
        CachePolicy(
            route="search",
            life=Life.LISTS,
            query=SearchParameters,
            tags=list_tags,
            is_unknown=unknown_category(verticals),
        )
    )
    async def search(parameters: Annotated[SearchParameters, Query()]) -> SearchResult:
        asked = SearchQuery(
            q=parameters.q,
            vertical=parameters.vertical or None,
            page=parameters.page,
            cursor=parameters.cursor,
            limit=parameters.limit,
            **parameters.asked(),
        )
        found = await discovery.search(query=asked)
        return found.model_copy(update={"data": [with_avatar(card) for card in found.data]})

    return router
