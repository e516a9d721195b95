"""How long shared caches may keep public answers, by what was asked for; and what is said to a CDN alone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from httpx import ASGITransport, AsyncClient

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from tests.support.databases import copy_of
from tests.support.statements import statements_of

BASE: Final = "http://127.0.0.1:8000"
NEGATIVE_MOST: Final = 17
"""15 seconds and a tenth more."""


@pytest.fixture(scope="module")
async def program(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    folder = tmp_path_factory.mktemp("lives")
    program = compose(Settings(database_url=copy_of(sqlite_template, folder), data_dir=folder))
    program.db.backend.acquire_server_lock()
    async with program.running():
        yield program


@pytest.fixture(scope="module")
async def client(program: Program) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app=program.build_app()), base_url=BASE) as client:
        yield client


def directives(value: str) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"([a-z-]+)=(\d+)", value)}


UNKNOWN: Final = (
    "/api/v1/service-provider-profiles/?category=unicorn",
    "/api/v1/service-provider-profiles/?category=unicorn&vertical=chefs&fields=id",
    "/api/v1/artists?category=unicorn",
    "/api/v1/artists?category=italian",
    "/api/v1/chefs?cuisine=unicorn",
    "/api/v1/tutors?subject=unicorn",
    "/api/v1/search?q=jazz&category=unicorn",
    "/api/v1/price-distribution?category=unicorn",
    "/c/artists?category=unicorn",
    "/s?category=unicorn",
    "/_f/s?category=unicorn",
)


@pytest.mark.parametrize("path", UNKNOWN)
async def test_answer_about_unknown_category_lives_as_briefly_as_a_404(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    if path.startswith("/api/v1/") and "price" not in path:
        assert (answer.json()["data"], answer.json()["total"]) == ([], 0)
    assert 0 < directives(answer.headers["cache-control"])["s-maxage"] <= NEGATIVE_MOST
    allowed = directives(answer.headers["cdn-cache-control"])
    assert set(allowed) == {"max-age"}
    assert allowed["max-age"] <= NEGATIVE_MOST


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/api/v1/artists?category=DJ", 54),
        ("/api/v1/service-provider-profiles/?category=italian", 54),
        ("/api/v1/chefs?cuisine=italian", 54),
        ("/api/v1/search?q=jazz&category=dj", 54),
        ("/c/artists?category=dj", 270),
        ("/s", 270),
    ],
)
async def test_empty_answer_about_known_category_lives_as_any(client: AsyncClient, path: str, least: int) -> None:
    answer = await client.get(path)
    assert directives(answer.headers["cache-control"])["s-maxage"] >= least


async def test_404_of_a_cached_route_is_brief(client: AsyncClient) -> None:
    answer = await client.get("/api/v1/service-provider-profiles/no-such-provider")
    assert answer.status_code == 404
    assert directives(answer.headers["cache-control"])["s-maxage"] <= NEGATIVE_MOST


@pytest.mark.parametrize("path", ["/api/v1/artists", "/", "/c/chefs", "/api/v1/verticals"])
async def test_only_a_cdn_is_allowed_to_serve_stale(client: AsyncClient, path: str) -> None:
    """RFC 9213: a browser ignores CDN-Cache-Control, so an editor's browser never shows the state before a change."""
    answers = [await client.get(path) for _ in range(2)]
    for answer in answers:
        assert "stale" not in answer.headers["cache-control"]
        said, allowed = directives(answer.headers["cache-control"]), directives(answer.headers["cdn-cache-control"])
        assert said["max-age"] == 0
        assert answer.headers["cdn-cache-control"].startswith("public, ")
        assert allowed == {"max-age": said["s-maxage"], "stale-while-revalidate": 30, "stale-if-error": 630}
    again = await client.get(path, headers={"if-none-match": answers[-1].headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cdn-cache-control"] == answers[-1].headers["cdn-cache-control"]


PAGES: Final = {
    "/": False,
    "/_f/row/chefs": False,
    "/c/artists": True,
    "/c/artists?category=dj&sort=newest": True,
    "/s": True,
    "/_f/c/artists": False,
    "/_f/s": False,
    "/_f/c/artists/map": False,
    "/_f/s/map": False,
}


async def test_pages_ask_for_price_distribution_only_where_they_show_it(program: Program, client: AsyncClient) -> None:
    for path, shows_prices in PAGES.items():
        # A location of its own, so that the page is made now.
        with statements_of(program.db) as statements:
            answer = await client.get(path + ("&" if "?" in path else "?") + "location=Oslo")
        assert answer.status_code == 200, path
        assert statements, path
        reads_bands = any("discovery_price_band.from_minor" in sql for sql, _ in statements)
        assert reads_bands is shows_prices, path
        assert ('class="histogram"' in answer.text) <= shows_prices, path
