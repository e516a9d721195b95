"""The lists of providers, one over all verticals and one for each pack."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model, model_validator

from fairground.contracts.discovery import (
    LEAN_FIELDS,
    CardField,
    Discovery,
    LeanList,
    ListedProvider,
    PriceBand,
    ProviderList,
    ProviderQuery,
    ProviderSort,
)
from fairground.modules.discovery.http.filters import (
    CategoryWord,
    Filters,
    list_tags,
    unknown_category,
    with_avatar,
)
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.routing import api_router
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

_PageSize = Annotated[int, Field(ge=1, le=100)]
# Any word is taken, because a client that asks for more than there is gets what there is.
_FieldName = Annotated[str, WithJsonSchema({"type": "string", "enum": [field.value for field in CardField]})]
_ASKED_FOR: Final = frozenset({CardField.USER_ID, CardField.CREATED_AT, CardField.UPDATED_AT, CardField.DISTANCE_KM})
_USUAL_FIELDS: Final = frozenset(CardField) - _ASKED_FOR


def _known_fields(words: list[str]) -> list[str]:
    """Return which fields the words name, in one order and each once; the id with any, none for no word at all."""
    names = {name.strip() for word in words for name in word.split(",")} - {""}
    return sorted({"id", *(names & set(CardField))}) if names else []


class ListQuery(Filters):
    """What both kinds of list take."""

    q: str | None = Field(default=None, description="A prefix of the name, or of a word in it.")
    artist: str | None = Field(default=None, description="Another name of `q`, which overrides it.")
    sort: ProviderSort = Field(default=ProviderSort.MOST_BOOKED, description="`distance` needs `lat` and `lng`.")
    page: int = Field(default=1, ge=1, le=1_000_000)
    cursor: str | None = Field(
        default=None, description="`next_cursor` of an answer of the same sort: go on behind it; `page` is passed over."
    )
    fields: Annotated[list[_FieldName], AfterValidator(_known_fields)] = Field(
        default_factory=list,
        description="Only these of each provider, repeated or with commas between them, and `id` in any case; a name"
        " that is none of these is passed over.",
    )
    include_price_distribution: bool = Field(default=False, description="True fills `price_distribution`.")


class AllProvidersQuery(ListQuery):
    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")
    limit: _PageSize = 20


class PackQuery(ListQuery):
    per_page: _PageSize = 12
    limit: _PageSize | None = Field(default=None, description="Another name of `per_page`, which it overrides.")


def _query_of(pack: Vertical) -> type[PackQuery]:
    """Return the query of a pack's list, which also takes its own word for a category: `cuisine`, `subject`."""
    word = pack.words.category
    if not word.isidentifier() or word in PackQuery.model_fields:
        return PackQuery

    def translate(given: Any) -> Any:
        if not isinstance(given, Mapping) or word not in given:
            return given
        others = {name: value for name, value in given.items() if name != word}
        # A form sends the fields that its user left empty.
        return others | {"category": given[word]} if given[word] else others

    described = Field(default=None, description="Another name of `category`, which it overrides.")
    made: type[PackQuery] = create_model(
        f"{pack.key.title()}Query",
        __base__=PackQuery,
        __validators__={"translate": model_validator(mode="before")(translate)},
        **{word: (str | None, described)},  # type: ignore[call-overload]
    )
    return made


def _only_id_is_certain(schema: dict[str, Any]) -> None:
    schema["required"] = ["id"]


class ListedProviderOut(ListedProvider):
    """What `fields` asked for; without it all but `user_id`, `created_at`, `updated_at`, and an unknown `distance_km`.

    `profile_picture_url` is an address of 512 pixels by 512, which shows initials where there is no picture.
    """

    model_config = ConfigDict(json_schema_extra=_only_id_is_certain)


class ProviderListOut(ProviderList):
    data: list[ListedProviderOut]  # type: ignore[assignment]


class PriceQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")
    category: CategoryWord = Field(default=None, description="A category's slug, name or alias.")


class PriceDistributionOut(BaseModel):
    data: list[PriceBand]


def routes(discovery: Discovery, verticals: Verticals) -> APIRouter:
    router = api_router(tags=["providers"])
    is_unknown = unknown_category(verticals)

    @router.get("/service-provider-profiles/", response_model=ProviderListOut)
    @cached(
        CachePolicy(
            route="providers",
            life=Life.LISTS,
            query=AllProvidersQuery,
            tags=list_tags,
            is_unknown=is_unknown,
            is_direct=True,
        )
    )
    async def list_providers(query: Annotated[AllProvidersQuery, Query()]) -> Response:
        return await _answer(discovery, query, vertical=query.vertical, limit=query.limit)

    @router.get("/price-distribution")
    @cached(CachePolicy(route="prices", life=Life.LISTS, query=PriceQuery, tags=list_tags, is_unknown=is_unknown))
    async def get_price_distribution(query: Annotated[PriceQuery, Query()]) -> PriceDistributionOut:
        bands = await discovery.get_price_distribution(vertical=query.vertical or None, category=query.category)
        return PriceDistributionOut(data=bands)

    for pack in verticals:
        query = _query_of(pack)
        policy = CachePolicy(
            route=f"providers-{pack.key}",
            life=Life.LISTS,
            query=query,
            tags=partial(list_tags, vertical=pack.key),
            is_unknown=unknown_category(verticals, vertical=pack.key),
            is_direct=True,
        )
        summary = f"List {pack.words.providers}"
        list_of_pack = cached(policy)(_list_of_pack(discovery, pack, query))
        router.get(f"/{pack.key}", summary=summary, response_model=ProviderListOut)(list_of_pack)
    return router


def _list_of_pack(
    discovery: Discovery, pack: Vertical, query_of: type[PackQuery]
) -> Callable[[Any], Awaitable[Response]]:
    async def list_providers_of_pack(query: Any) -> Response:
        return await _answer(discovery, query, vertical=pack.key, limit=query.limit or query.per_page)

    # The parameters are read by the pack's rules, so they are described to the framework here.
    list_providers_of_pack.__annotations__["query"] = Annotated[query_of, Query()]
    return list_providers_of_pack


async def _answer(discovery: Discovery, query: ListQuery, *, vertical: str | None, limit: int) -> Response:
    fields = _fields(query)
    asked = _asked(query, vertical=vertical, limit=limit)
    is_lean = fields <= LEAN_FIELDS
    found: ProviderList | LeanList
    if is_lean:
        found = await discovery.search_lean(query=asked)
    else:
        found = await discovery.search_providers(query=asked)
    return Response(_body(found, fields), media_type="application/json")


def _body(found: ProviderList | LeanList, fields: Collection[CardField]) -> str:
    shown: dict[str, Any] = dict.fromkeys(type(found).model_fields, True)
    listed = found.model_copy(update={"data": [with_avatar(card) for card in found.data]})
    return listed.model_dump_json(include=shown | {"data": {"__all__": set(fields)}})


def _fields(query: ListQuery) -> frozenset[CardField]:
    """Return the fields to show, at least the id."""
    if not query.fields:
        return _USUAL_FIELDS if query.lat is None else _USUAL_FIELDS | {CardField.DISTANCE_KM}
    return frozenset(map(CardField, query.fields))


def _asked(query: ListQuery, *, vertical: str | None, limit: int) -> ProviderQuery:
    return ProviderQuery(
        vertical=vertical or None,
        q=query.artist or query.q,
        sort=query.sort,
        page=query.page,
        limit=limit,
        cursor=query.cursor or None,
        include_price_distribution=query.include_price_distribution,
        **query.asked(),
    )
