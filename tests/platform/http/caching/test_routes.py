import random
from datetime import date
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field

from fairground.platform.cache.policy import EVERYTHING, CachePolicy, CacheRequest
from fairground.platform.cache.settings import Life
from fairground.platform.http.caching.routes import CachedRoute, NotCacheable, schema_digest


class Query(BaseModel):
    q: str | None = None
    sort: str = "most_booked"
    page: int = Field(default=1, ge=1)
    limit: int = Field(default=20, ge=1, le=100)
    min_price: float | None = Field(default=None, alias="minPrice")
    bands: bool = True
    day: date | None = None
    fields: Annotated[list[str], AfterValidator(sorted)] = Field(default_factory=list)


class Path(BaseModel):
    provider: Annotated[str, AfterValidator(str.lower)]


class Out(BaseModel):
    name: str


class OtherOut(BaseModel):
    name: str
    rating: float


def route_of(route: str = "providers", **settings: Any) -> CachedRoute:
    policy = CachePolicy(route=route, life=Life.LISTS, query=Query, **settings)
    path = "/api/v1/p/{provider}" if "path" in settings else "/api/v1/p"
    return CachedRoute(policy, shape=Out, path_format=path, fresh_seconds=60)


def parse(query: str, **parts: str) -> CacheRequest:
    return route_of().parse(parts, query.encode())


def test_key_contains_version_route_schema_and_scope() -> None:
    version, kind, route, schema, scope, digest = parse("page=2").key.split(":")
    assert (version, kind, route, scope) == ("v2", "list", "providers", "anon")
    assert (len(schema), len(digest)) == (8, 32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("page=2&limit=5", "limit=5&page=2"),
        ("page=1", ""),
        ("sort=most_booked&bands=true", ""),
        ("bands=1", "bands=yes"),
        ("page=3&page=2", "page=2"),
        ("q=a%20b", "q=a+b"),
        ("q=%61", "q=a"),
        ("minPrice=10", "minPrice=10.0"),
        ("minPrice=1e1", "minPrice=10"),
        ("page=02", "page=2"),
        ("fields=b&fields=a", "fields=a&fields=b"),
        ("utm_source=mail&gclid=1&page=2&fbclid=x", "page=2"),
    ],
)
def test_spellings_of_the_same_request_share_a_key(one: str, other: str) -> None:
    assert parse(one) == parse(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("page=2", "page=3"),
        ("q=a", "q=A"),
        ("q=", ""),
        ("page=2", "limit=2"),
        ("q=page%3D2", "page=2"),
        ("day=2026-01-01", ""),
    ],
)
def test_different_requests_have_different_keys(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("who=me", "unknown-parameter"),
        ("Page=2", "unknown-parameter"),
        ("min_price=1", "unknown-parameter"),
        ("page=0", "invalid"),
        ("page=two", "invalid"),
        ("q=%ff", "not-utf-8"),
        ("q=" + "a" * 129, "long-text"),
        ("q=" + "a" * 1_100, "long-query"),
    ],
)
def test_unknown_and_refused_parameters_are_not_cached(query: str, reason: str) -> None:
    with pytest.raises(NotCacheable, match=reason):
        parse(query)


def test_different_routes_paths_and_schemas_have_different_keys() -> None:
    made = {
        route_of().parse({}, b"").key,
        route_of("artists").parse({}, b"").key,
        route_of(path=Path).parse({"provider": "a"}, b"").key,
        route_of(path=Path).parse({"provider": "b"}, b"").key,
    }
    assert len(made) == 4
    assert schema_digest(Out) != schema_digest(OtherOut)


def test_path_and_tags_are_made_of_the_parsed_parts() -> None:
    request = route_of(path=Path, tags=lambda parameters: (f"provider:{parameters['provider']}",)).parse(
        {"provider": "M A/y"}, b""
    )
    assert request.path == "/api/v1/p/m%20a%2Fy"
    assert request.tags == (EVERYTHING, "life:lists", "provider:m a/y")


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "q": st.text(max_size=12),
        "sort": st.sampled_from(["most_booked", "newest"]),
        "page": st.integers(1, 4),
        "limit": st.integers(1, 100),
        "minPrice": st.integers(0, 3),
        "bands": st.booleans(),
        "utm_source": st.sampled_from(["mail", "site"]),
    },
)


def write(values: dict[str, Any], *, order: random.Random) -> str:
    """Write a query in a random one of its spellings."""
    pairs = list(values.items())
    order.shuffle(pairs)
    quoting = order.choice([quote, quote_plus])
    pieces = [f"{name}={quoting(str(value))}" for name, value in pairs]
    if pieces and order.random() < 0.3:
        pieces.insert(0, pieces[-1])
    return "&".join(pieces)


def canonical(values: dict[str, Any]) -> dict[str, Any]:
    """Return the meaning of a request, independently of the code: with defaults, without unknown parameters."""
    defaults = {"q": None, "sort": "most_booked", "page": 1, "limit": 20, "minPrice": None, "bands": True}
    return defaults | {name: value for name, value in values.items() if name in defaults}


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_two_requests_share_a_key_exactly_when_their_parameters_are_the_same(
    one: dict[str, Any], other: dict[str, Any], order: random.Random
) -> None:
    first, second = parse(write(one, order=order)), parse(write(other, order=order))
    assert (first.key == second.key) == (canonical(one) == canonical(other))
    assert (first.query_string == second.query_string) == (first.key == second.key)


@given(VALUES, st.randoms(use_true_random=False))
def test_canonical_query_has_the_same_meaning(values: dict[str, Any], order: random.Random) -> None:
    request = parse(write(values, order=order))
    again = Query.model_validate(dict(parse_qsl(request.query_string.decode(), keep_blank_values=True)))
    assert again.model_dump(by_alias=True, exclude={"day", "fields"}) == canonical(values)
    assert route_of().parse({}, request.query_string) == request
