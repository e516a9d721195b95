"""Random pairs of requests share an entry exactly when their meaning is the same, and get the response of the route."""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest

from benchmarks import marketplace
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.platform.http.caching.middleware import CacheMiddleware
from tests.support.databases import copy_of
from tests.support.proofs import IS_FULL, Dose

pytestmark = pytest.mark.timeout(1800 if IS_FULL else 180)

LIST: Final = "/api/v1/service-provider-profiles/"
PROVIDERS: Final = 300
FIELDS: Final = ["id", "slug", "business_name", "rating", "location", "nonsense"]
PRIVATE: Final = (b"contact", b"phone", b"email", b"owner", b"data:", b"password")
Figures = Callable[[str, float, str], None]
Parameters = dict[str, Any]
# Few values each, so that pairs with the same meaning are not rare.
CHOICES: Final[dict[str, list[Any]]] = {
    "vertical": ["artists", "chefs", ""],
    "category": ["musician", "Musicians", "photographer"],
    "sort": ["most_booked", "newest", "price"],
    "page": [1, 2],
    "limit": [20, 12],
    "minPrice": [0, 10, 10.0],
    "include_price_distribution": [True, False],
    "location": ["o", "O"],
}
DEFAULTS: Final[Parameters] = {"sort": "most_booked", "page": 1, "limit": 20, "include_price_distribution": False}


@dataclass
class Site:
    program: Program
    cached: httpx.AsyncClient
    bare: httpx.AsyncClient
    """The same application without its cache."""
    middleware: CacheMiddleware

    def key(self, query: str) -> str:
        found = self.middleware._routes.find(LIST)
        assert found is not None
        return found[0].parse({}, query.encode()).key


@pytest.fixture
async def site(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Site]:
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data"))
    await marketplace.build(program.db, providers=PROVIDERS)
    middleware = program.build_app()
    assert isinstance(middleware, CacheMiddleware)
    async with program.running():
        address = "http://127.0.0.1:8000"
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(middleware), base_url=address) as cached,
            httpx.AsyncClient(transport=httpx.ASGITransport(middleware._security), base_url=address) as bare,
        ):
            yield Site(program, cached, bare, middleware)


def draw(chance: random.Random) -> Parameters:
    parameters: Parameters = {name: chance.choice(values) for name, values in CHOICES.items() if chance.random() < 0.35}
    if chance.random() < 0.3:
        parameters["fields"] = chance.sample(FIELDS, k=chance.randint(1, 3))
    return parameters


def write(parameters: Parameters, chance: random.Random) -> str:
    """Write a request in one of the many ways in which it can be written."""
    pairs = [(name, _text(value)) for name, value in parameters.items() if name != "fields"]
    words = list(parameters.get("fields", ()))
    chance.shuffle(words)
    pairs += [("fields", ",".join(words))] if words and chance.random() < 0.5 else [("fields", word) for word in words]
    if pairs and chance.random() < 0.2:
        name, _ = again = chance.choice(pairs)
        pairs = [(name, "never read"), *pairs] if name not in ("fields", "page", "limit") else [*pairs, again]
    if chance.random() < 0.3:
        pairs.append(("utm_source", str(chance.randint(0, 99))))
    front = [pair for pair in pairs if pair[1] == "never read"]
    rest = [pair for pair in pairs if pair[1] != "never read"]
    chance.shuffle(rest)
    return urlencode(front + rest, quote_via=chance.choice([quote, quote_plus]))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def meaning(parameters: Parameters) -> Parameters:
    """Return the meaning of a request, independently of the program."""
    full = {**dict.fromkeys(CHOICES), **DEFAULTS, "fields": None, **parameters}
    if "fields" in parameters:
        full["fields"] = sorted({"id", *parameters["fields"]} - {"nonsense"})
    return full


async def test_requests_share_an_entry_exactly_when_they_are_equivalent(
    site: Site, dose: Dose, figure: Figures
) -> None:
    chance, pairs, alike = random.Random(20), dose(small=150, full=10_000), 0
    for _ in range(pairs):
        one = draw(chance)
        other = dict(one) if chance.random() < 0.5 else draw(chance)
        queries = write(one, chance), write(other, chance)
        same = meaning(one) == meaning(other)
        assert (site.key(queries[0]) == site.key(queries[1])) is same, queries
        answers = [await site.cached.get(f"{LIST}?{query}") for query in queries]
        if same:
            assert answers[0].content == answers[1].content
            assert answers[0].headers["etag"] == answers[1].headers["etag"]
            alike += 1
        for query, answer in zip(queries, answers, strict=True):
            alone = await site.bare.get(f"{LIST}?{query}")
            assert (answer.status_code, answer.content) == (alone.status_code, alone.content), query
            assert not [word for word in PRIVATE if word in answer.content]
    served = site.program.cache.stats.served
    assert served["providers", "BYPASS"] == 0
    assert served["providers", "HIT"] > served["providers", "MISS"] / 10
    figure("pairs of requests", pairs, f"{alike} of them alike")
