"""JSON routes of discovery, relative to /api/v1: lists over all verticals and of each pack, and search by words."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import to_json

from fairground.contracts.discovery import (
    LEAN_FIELDS,
    SEARCH_MAX_LENGTH,
    SEARCH_MAX_RESULTS,
    CardField,
    Discovery,
    LeanList,
    LeanProvider,
    ListedProvider,
    Near,
    PriceBand,
    ProviderList,
    ProviderQuery,
    ProviderSort,
    QueryInvalid,
    SearchQuery,
    SearchResult,
    free_tags,
    list_tag,
)
from fairground.contracts.media import list_avatar_url
from fairground.contracts.providers import ALL_PROVIDERS, ProviderCard
from fairground.kernel.inputs import CursorInvalid, PageTooDeep
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical, normalise

# Any word is taken, because a client that asks for more than there is gets what there is.
_FieldName = Annotated[str, WithJsonSchema({"type": "string", "enum": [field.value for field in CardField]})]
_ASKED_FOR: Final = frozenset({CardField.USER_ID, CardField.CREATED_AT, CardField.UPDATED_AT, CardField.DISTANCE_KM})
_USUAL_FIELDS: Final = frozenset(CardField) - _ASKED_FOR
_FIELD_ORDER: Final = (*ListedProvider.model_fields, *ListedProvider.model_computed_fields)
_PICTURE: Final = CardField.PROFILE_PICTURE_URL.value


def _in_one_spelling(word: str | None) -> str | None:
    # "Dj", "dj" and " DJ" are one question, and so one entry of the cache.
    return normalise(word) or word if word else None


def _to_a_hundredth(degrees: float | None) -> float | None:
    # Neighbours ask the same question, and so share an entry of the cache.
    return None if degrees is None else round(degrees, 2)


def _known_fields(words: list[str]) -> list[str]:
    """Return which fields the words name, in one order and each once; the id with any, none for no word at all."""
    names = {name.strip() for word in words for name in word.split(",")} - {""}
    return sorted({"id", *(names & set(CardField))}) if names else []


_CategoryWord = Annotated[str | None, AfterValidator(_in_one_spelling)]
_PageSize = Annotated[int, Field(ge=1, le=100)]
_Price = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]


class FilterParameters(BaseModel):
    """What narrows a list and a search alike."""

    model_config = ConfigDict(frozen=True)

    category: _CategoryWord = Field(default=None, description="A category's slug, name or alias, in any spelling.")
    location: str | None = Field(
        default=None, description="Any part of the location; case, accents and spaces do not matter."
    )
    when: date | None = Field(
        default=None, description="A date where the provider is, on which something of theirs can still be booked."
    )
    lat: Annotated[float | None, AfterValidator(_to_a_hundredth)] = Field(
        default=None, ge=-90, le=90, allow_inf_nan=False, description="With `lng`, the middle of a circle, in degrees."
    )
    lng: Annotated[float | None, AfterValidator(_to_a_hundredth)] = Field(
        default=None, ge=-180, le=180, allow_inf_nan=False, description="Rounded to 0.01, as lat."
    )
    distance_km: float = Field(default=50, ge=1, le=200, allow_inf_nan=False, description="The radius of the circle.")
    min_price: _Price = Field(default=None, alias="minPrice", description="Lowest price at least, in major units.")
    max_price: _Price = Field(default=None, alias="maxPrice", description="Lowest price at most, in major units.")
    min_rating: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False, description="Mean rating at least.")

    def query_fields(self) -> dict[str, Any]:
        """Return the same fields of a ProviderQuery or SearchQuery."""
        return {
            "category": self.category,
            "location": self.location,
            "when": self.when,
            "near": self._near(),
            "min_price": self.min_price,
            "max_price": self.max_price,
            "min_rating": self.min_rating,
        }

    def _near(self) -> Near | None:
        if self.lat is None and self.lng is None:
            return None
        if self.lat is None or self.lng is None:
            raise QueryInvalid("lat and lng must be sent together.", hint="Send both or neither.", field="lat")
        return Near(lat=self.lat, lng=self.lng, radius_km=self.distance_km)


class ListParameters(FilterParameters):
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

    def fields_shown(self) -> frozenset[CardField]:
        """Return the fields to show, at least the id."""
        if not self.fields:
            return _USUAL_FIELDS if self.lat is None else _USUAL_FIELDS | {CardField.DISTANCE_KM}
        return frozenset(map(CardField, self.fields))


class AllProvidersParameters(ListParameters):
    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")
    limit: _PageSize = 20


class PackParameters(ListParameters):
    per_page: _PageSize = 12
    limit: _PageSize | None = Field(default=None, description="Another name of `per_page`, which it overrides.")


def _parameters_of(pack: Vertical) -> type[PackParameters]:
    """Return the parameters of a pack's list, which also takes its own word for a category: `cuisine`, `subject`."""
    word = pack.words.category
    if not word.isidentifier() or word in PackParameters.model_fields:
        return PackParameters

    def translate(given: Any) -> Any:
        if not isinstance(given, Mapping) or word not in given:
            return given
        others = {name: value for name, value in given.items() if name != word}
        # A form sends the fields that its user left empty.
        return others | {"category": given[word]} if given[word] else others

    described = Field(default=None, description="Another name of `category`, which it overrides.")
    made: type[PackParameters] = create_model(
        f"{pack.key.title()}Parameters",
        __base__=PackParameters,
        __validators__={"translate": model_validator(mode="before")(translate)},
        **{word: (str | None, described)},  # type: ignore[call-overload]
    )
    return made


class SearchParameters(FilterParameters):
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


class PriceParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    vertical: str | None = Field(default=None, description="A key that GET /verticals lists.")
    category: _CategoryWord = Field(default=None, description="A category's slug, name or alias.")


def _only_id_is_certain(schema: dict[str, Any]) -> None:
    schema["required"] = ["id"]


class ListedProviderOut(ListedProvider):
    """What `fields` asked for; without it all but `user_id`, `created_at`, `updated_at`, and an unknown `distance_km`.

    `profile_picture_url` is an address of 512 pixels by 512, which shows initials where there is no picture.
    """

    model_config = ConfigDict(json_schema_extra=_only_id_is_certain)


class ProviderListOut(ProviderList):
    data: list[ListedProviderOut]  # type: ignore[assignment]


class PriceDistributionOut(BaseModel):
    data: list[PriceBand]


def routes(discovery: Discovery, verticals: Verticals) -> APIRouter:
    router = api_router(tags=["providers"])
    is_unknown = _unknown_category(verticals)

    @router.get("/service-provider-profiles/", response_model=ProviderListOut)
    @cached(
        CachePolicy(
            route="providers",
            life=Life.LISTS,
            query=AllProvidersParameters,
            tags=_list_tags,
            is_unknown=is_unknown,
            is_direct=True,
        )
    )
    @refuses(QueryInvalid, PageTooDeep, CursorInvalid)
    async def list_providers(query: Annotated[AllProvidersParameters, Query()]) -> Response:
        """List approved providers, filtered, sorted and paginated. Use `fields` to choose what is returned."""
        return await _answer(discovery, query, vertical=query.vertical, limit=query.limit)

    @router.get("/price-distribution")
    @cached(CachePolicy(route="prices", life=Life.LISTS, query=PriceParameters, tags=_list_tags, is_unknown=is_unknown))
    async def get_price_distribution(query: Annotated[PriceParameters, Query()]) -> PriceDistributionOut:
        """Count the providers of a vertical or category in each price band."""
        bands = await discovery.get_price_distribution(vertical=query.vertical or None, category=query.category)
        return PriceDistributionOut(data=bands)

    for pack in verticals:
        _add_list_of_pack(router, discovery, verticals, pack)

    @router.get("/search")
    @cached(
        CachePolicy(route="search", life=Life.LISTS, query=SearchParameters, tags=_list_tags, is_unknown=is_unknown)
    )
    @refuses(QueryInvalid, PageTooDeep, CursorInvalid)
    async def search(parameters: Annotated[SearchParameters, Query()]) -> SearchResult:
        """Search providers, with typo correction and facet counts."""
        query = SearchQuery(
            q=parameters.q,
            vertical=parameters.vertical or None,
            page=parameters.page,
            cursor=parameters.cursor,
            limit=parameters.limit,
            **parameters.query_fields(),
        )
        found = await discovery.search(query=query)
        return found.model_copy(update={"data": [_with_avatar(card) for card in found.data]})

    return router


def _add_list_of_pack(router: APIRouter, discovery: Discovery, verticals: Verticals, pack: Vertical) -> None:
    parameters = _parameters_of(pack)
    policy = CachePolicy(
        route=f"providers-{pack.key}",
        life=Life.LISTS,
        query=parameters,
        tags=partial(_list_tags, vertical=pack.key),
        is_unknown=_unknown_category(verticals, vertical=pack.key),
        is_direct=True,
    )

    async def list_providers_of_pack(query: Any) -> Response:
        """List the approved providers of this vertical by filters, as the list of all providers does."""
        return await _answer(discovery, query, vertical=pack.key, limit=query.limit or query.per_page)

    # The parameters are read by the pack's rules, so they are described to the framework here.
    list_providers_of_pack.__annotations__["query"] = Annotated[parameters, Query()]
    summary = f"List {pack.words.providers}"
    name = f"list_{pack.key.replace('-', '_')}"
    route = router.get(f"/{pack.key}", name=name, summary=summary, response_model=ProviderListOut)
    route(refuses(QueryInvalid, PageTooDeep, CursorInvalid)(cached(policy)(list_providers_of_pack)))


async def _answer(discovery: Discovery, parameters: ListParameters, *, vertical: str | None, limit: int) -> Response:
    query = ProviderQuery(
        vertical=vertical or None,
        q=parameters.artist or parameters.q,
        sort=parameters.sort,
        page=parameters.page,
        limit=limit,
        cursor=parameters.cursor or None,
        include_price_distribution=parameters.include_price_distribution,
        **parameters.query_fields(),
    )
    fields = parameters.fields_shown()
    found: ProviderList | LeanList
    if fields <= LEAN_FIELDS:
        found = await discovery.search_lean(query=query)
    else:
        found = await discovery.search_providers(query=query)
    return Response(_body(found, fields), media_type="application/json")


def _body(found: ProviderList | LeanList, fields: Collection[CardField]) -> bytes:
    """Return what `model_dump_json` would, without a copy of each card for the address of its avatar."""
    names = [name for name in _FIELD_ORDER if name in fields]
    shown = dict(found) | {"data": [_card_of(card, names) for card in found.data]}
    return to_json(shown)


def _card_of(card: ListedProvider | LeanProvider, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(card, name) for name in names}
    if _PICTURE in values:
        values[_PICTURE] = list_avatar_url(card.id, picture_url=card.profile_picture_url)
    return values


def _unknown_category(verticals: Verticals, *, vertical: str | None = None) -> Callable[[Mapping[str, Any]], bool]:
    """Return the check for a category that no pack has; `vertical` is the one of a pack's own path."""

    def is_unknown(given: Mapping[str, Any]) -> bool:
        word = given["category"]
        return bool(word) and not verticals.has_category(word, vertical=vertical or given.get("vertical") or None)

    return is_unknown


def _list_tags(given: Mapping[str, Any], *, vertical: str | None = None) -> tuple[str, ...]:
    """Return the tags of a list or a search; `vertical` is the one of a pack's own path."""
    return ALL_PROVIDERS, list_tag(vertical or given["vertical"]), *free_tags(given.get("when"))


def _with_avatar(card: ProviderCard) -> ProviderCard:
    """Return a card of a list whose picture is an address in one size, never a whole picture or a `data:` URL."""
    url = list_avatar_url(card.id, picture_url=card.profile_picture_url)
    return card.model_copy(update={"profile_picture_url": url})
