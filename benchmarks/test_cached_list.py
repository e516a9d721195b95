"""A list with the cache and without: against nginx and bare uvicorn with the same bytes, and as usually written.

One server process at a time works on one core, the load comes from the other. All is measured among 1,000 providers,
and at the full dose among 100,000 too.
"""

import asyncio
import contextlib
import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from benchmarks import load, marketplace
from benchmarks.measuring import Cost, Meter, Rounds, postgres_process
from benchmarks.peers import bare, nginx
from benchmarks.peers.asgi import serving_app
from benchmarks.results import Recorder, in_postgres
from fairground.platform.db.database import Database
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import fresh_database
from tests.support.proofs import Dose
from tests.support.redis import fresh_namespace
from tests.support.servers import Installation
from tests.support.waiting import wait_until
from tools.guardian import Server

COLD_PAGES: Final = 200
LIST: Final = "/api/v1/service-provider-profiles/?vertical=artists&sort=most_booked&limit=12"
PEER_LIST: Final = "/providers?vertical=artists&sort=most_booked&limit=12"
SORTS: Final = ("most_booked", "top_rated", "newest")
# What the usual program would have: without these it sorts the whole table for every page.
PEER_INDEXES: Final = ("book_count DESC", "rating_avg DESC", "created_at DESC")


@dataclass(frozen=True)
class Sites:
    """Our server and the usual one, on the same rows of the same database."""

    providers: int
    ours: str
    process_id: int
    peer: str
    peer_id: int
    categories: list[tuple[str, str]]
    """Vertical and category of each list."""

    def cold_pages(self) -> Iterator[tuple[str, str]]:
        """Yield uncached pages, each as a path of ours and of the peer's."""
        for page, sort, (vertical, category) in itertools.product(range(1, 51), SORTS, self.categories):
            query = f"vertical={vertical}&category={category}&sort={sort}&page={page}&limit=12"
            yield f"/api/v1/service-provider-profiles/?{query}", f"/providers?{query}"


@pytest.fixture(scope="module", params=Dose()(small=[1_000], full=[1_000, 100_000]))
def sites(
    postgres_server: Server,
    redis_server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Sites]:
    providers: int = request.param
    with fresh_database(postgres_server) as url, contextlib.ExitStack() as stack:
        _fill(url, providers=providers)
        installation = Installation(
            database_url=url,
            data_dir=tmp_path_factory.mktemp("sites"),
            FAIRGROUND_REDIS_URL=redis_server.url,
            FAIRGROUND_CACHE_NAMESPACE=fresh_namespace(),
        )
        ours = stack.enter_context(installation.serving())
        # It connects to Redis a moment after it serves, and caches nothing before.
        wait_until(lambda: httpx.get(ours.url + LIST).headers["x-cache"] == "HIT")
        addresses = {
            "PEER_DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://"),
            "PEER_REDIS_URL": redis_server.url,
        }
        peer, peer_id = stack.enter_context(serving_app("benchmarks.peers.obvious:app", addresses, ready_at=PEER_LIST))
        for process_id in (ours.process_id, peer_id):
            load.pin(process_id)
        listed = httpx.get(f"{ours.url}/api/v1/categories").json()["data"]
        categories = [(each["vertical"], each["slug"]) for each in listed]
        yield Sites(providers, ours.url, ours.process_id, peer, peer_id, categories)


def _fill(url: str, *, providers: int) -> None:
    migrate(url)

    async def fill() -> None:
        db = Database(url, outbox=RecordingOutbox())
        await marketplace.build(db, providers=providers)
        await db.close()

    asyncio.run(fill())
    with psycopg.connect(url, autocommit=True) as connection:
        for order in PEER_INDEXES:
            connection.execute(f"CREATE INDEX ON providers_provider (vertical, {order}, id) WHERE status = 'approved'")
        connection.execute("ANALYZE providers_provider")


def test_hits_against_nginx_and_bare_uvicorn(sites: Sites, tmp_path: Path, dose: Dose, record: Recorder) -> None:
    """The same bytes from all three, on connections that stay open; and what has not changed, by its ETag."""
    address = sites.ours + LIST
    httpx.get(address)
    answer = httpx.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.headers["x-cache"] == "HIT"
    assert len(answer.json()["data"]) == 12
    known = {"If-None-Match": answer.headers["etag"], "Accept-Encoding": "identity"}
    unchanged = httpx.get(address, headers=known)
    with (
        nginx.serving(answer.content, folder=tmp_path / "nginx") as (limit, limit_id),
        bare.serving(answer.content, answer.headers, unchanged=unchanged.headers, folder=tmp_path / "bare") as (
            server,
            server_id,
        ),
    ):
        limit_known = {"If-None-Match": httpx.get(limit).headers["etag"]}
        contestants: dict[str, Contestant] = {
            "hit": (address, sites.process_id, {}),
            "nginx": (limit, limit_id, {}),
            "uvicorn": (f"{server}/list", server_id, {}),
            "hit 304": (address, sites.process_id, known),
            "nginx 304": (limit, limit_id, limit_known),
            "uvicorn 304": (f"{server}/304", server_id, {}),
        }
        for path, headers in ((address, known), (limit, limit_known), (f"{server}/304", {})):
            assert httpx.get(path, headers=headers).status_code == 304
        rounds = _costs(contestants, seconds=dose(small=2, full=3))
    section = "A list from the cache"
    hit = functools.partial(record.compare, section, "a HIT", rounds=rounds, unit="request", ours="hit")
    hit("nginx, the same bytes as a file", theirs="nginx", cpu_ratio_max=1.3, rate_ratio_min=0.7)
    hit("bare uvicorn, the same bytes and headers", theirs="uvicorn", cpu_ratio_max=0.4)
    not_modified = functools.partial(record.compare, section, "a 304", rounds=rounds, unit="request", ours="hit 304")
    not_modified("a HIT", theirs="hit", cpu_ratio_max=1)
    not_modified("nginx's 304", theirs="nginx 304")
    not_modified("bare uvicorn's 304", theirs="uvicorn 304")
    record.note(section, "size of the list of 12, uncompressed", len(answer.content), "bytes")


Contestant = tuple[str, int, Mapping[str, str]]
"""An address, the process that serves it, and what is sent with each request."""


def _costs(contestants: Mapping[str, Contestant], *, seconds: int) -> Rounds:
    rounds = Rounds()
    for _, process_id, _ in contestants.values():
        load.pin(process_id)
    for name in rounds.turns(*contestants):
        address, process_id, headers = contestants[name]
        rounds.add(name, load.cost_of_request(address, process_id, seconds=seconds, headers=headers))
    return rounds


def test_hits_against_the_usual_program(sites: Sites, dose: Dose, record: Recorder) -> None:
    as_bytes = PEER_LIST.replace("/providers", "/providers-bytes")
    contestants: dict[str, Contestant] = {
        "ours": (sites.ours + LIST, sites.process_id, {}),
        "validated": (sites.peer + PEER_LIST, sites.peer_id, {}),
        "bytes": (sites.peer + as_bytes, sites.peer_id, {}),
    }
    rounds = _costs(contestants, seconds=dose(small=1, full=3))
    section = "A list from the cache"
    record.compare(section, "a HIT", "the usual program's, validated", rounds, unit="request", theirs="validated")
    record.compare(section, "a HIT", "the usual program's, its bytes", rounds, unit="request", theirs="bytes")


def test_misses_against_the_usual_program(sites: Sites, postgres_server: Server, record: Recorder) -> None:
    database = postgres_process(postgres_server.url)
    cold, rounds = sites.cold_pages(), Rounds()
    bases = {"ours": (sites.ours, sites.process_id), "theirs": (sites.peer, sites.peer_id)}
    pages: dict[str, list[str]] = {}
    for name in rounds.turns(*bases):
        if name not in pages:
            chosen = list(itertools.islice(cold, COLD_PAGES))
            pages = {"ours": [ours for ours, _ in chosen], "theirs": [theirs for _, theirs in chosen]}
        base, process_id = bases[name]
        in_database = Meter(database)
        rounds.add(name, _cost_of_a_miss(base, process_id, pages.pop(name)))
        rounds.add(in_postgres(name), in_database.cost(units=COLD_PAGES))
    section, what, against = "A list past the cache", f"a miss among {sites.providers:,} providers", "the usual program"
    record.compare(section, what, against, rounds, unit="request", cpu_ratio_max=0.33)
    record.compare_databases(section, what, against, rounds, unit="request")


def _cost_of_a_miss(base: str, process_id: int, paths: list[str]) -> Cost:
    """Request every path once, one after the other."""
    with load.pinned_to_load_core(), httpx.Client(base_url=base) as client:
        client.get("/healthz")
        meter = Meter(process_id)
        for path in paths:
            assert client.get(path).raise_for_status().headers.get("x-cache", "MISS") == "MISS"
        return meter.cost(units=len(paths))
