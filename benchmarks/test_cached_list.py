"""A list with the cache and without: against nginx with the same bytes, and against the list as it is usually written.

One server process at a time works on one core, the load comes from the other. `make bench` takes 1,000 providers;
FAIRGROUND_PROOF_DOSE=full takes 100,000, the dose of docs/benchmarks.md.
"""

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from benchmarks import load, marketplace
from benchmarks.peers import nginx
from fairground.platform.db.database import Database
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import fresh_database
from tests.support.processes import ROOT
from tests.support.proofs import Dose
from tests.support.redis import fresh_namespace
from tests.support.servers import Installation
from tests.support.waiting import wait_until
from tools.guardian import Server, free_port

ROUNDS: Final = 5
SECONDS: Final = 3
COLD_PAGES: Final = 200
LIST: Final = "/api/v1/service-provider-profiles/?vertical=artists&sort=most_booked&limit=12"
PEER_LIST: Final = "/providers?vertical=artists&sort=most_booked&limit=12"
SORTS: Final = ("most_booked", "top_rated", "newest")
# What the usual program would have: without these it sorts the whole table for every page.
PEER_INDEXES: Final = ("book_count DESC", "rating_avg DESC", "created_at DESC")
Figures = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Sites:
    """Our server and the usual one, on the same rows of the same database."""

    ours: str
    process_id: int
    peer: str
    categories: list[tuple[str, str]]
    """Vertical and category of each list."""

    def cold_pages(self) -> Iterator[tuple[str, str]]:
        """Yield uncached pages, each as a path of ours and of the peer's."""
        for page, sort, (vertical, category) in itertools.product(range(1, 51), SORTS, self.categories):
            query = f"vertical={vertical}&category={category}&sort={sort}&page={page}&limit=12"
            yield f"/api/v1/service-provider-profiles/?{query}", f"/providers?{query}"


@pytest.fixture(scope="module")
def sites(postgres_server: Server, redis_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    folder = tmp_path_factory.mktemp("sites")
    with fresh_database(postgres_server) as url, contextlib.ExitStack() as stack:
        _fill(url, providers=Dose()(small=1_000, full=100_000))
        installation = Installation(
            database_url=url,
            data_dir=folder,
            FAIRGROUND_REDIS_URL=redis_server.url,
            FAIRGROUND_CACHE_NAMESPACE=fresh_namespace(),
        )
        ours = stack.enter_context(installation.serving())
        load.pin(ours.process_id)
        # It connects to Redis a moment after it serves, and caches nothing before.
        wait_until(lambda: httpx.get(ours.url + LIST).headers["x-cache"] == "HIT")
        peer = stack.enter_context(_usual_program(url, redis_server.url))
        listed = httpx.get(f"{ours.url}/api/v1/categories").json()["data"]
        yield Sites(ours.url, ours.process_id, peer, [(each["vertical"], each["slug"]) for each in listed])


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


@contextlib.contextmanager
def _usual_program(database_url: str, redis_url: str) -> Iterator[str]:
    port = free_port()
    program = [sys.executable, "-m", "uvicorn", "benchmarks.peers.obvious:app", "--no-access-log", "--port", str(port)]
    addresses = {
        "PEER_DATABASE_URL": database_url.replace("postgresql://", "postgresql+psycopg://"),
        "PEER_REDIS_URL": redis_url,
    }
    with subprocess.Popen(program, cwd=ROOT, env=os.environ | addresses) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address + PEER_LIST, process)
            load.pin(process.pid)
            yield address
        finally:
            process.terminate()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address, timeout=30).raise_for_status()
            return
        time.sleep(0.1)
    raise AssertionError("The usual program did not start.")


def test_a_hit_against_nginx_with_the_same_bytes(sites: Sites, tmp_path: Path, figure: Figures) -> None:
    address = sites.ours + LIST
    httpx.get(address)
    answer = httpx.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.headers["x-cache"] == "HIT"
    assert len(answer.json()["data"]) == 12
    known = {"If-None-Match": answer.headers["etag"]}
    with nginx.serving(answer.content, folder=tmp_path) as (limit, process_id):
        load.pin(process_id)
        asked = {"hit": (address, {}), "304": (address, known), "nginx": (limit, {})}
        rounds = [
            {name: load.requests_per_second(where, seconds=SECONDS, headers=h) for name, (where, h) in asked.items()}
            for _ in range(ROUNDS)
        ]
    figure("bytes of the list of 12, uncompressed", len(answer.content), "bytes")
    figure("a hit against nginx", statistics.median(each["hit"] / each["nginx"] for each in rounds), "×")
    figure("a 304 against a hit", statistics.median(each["304"] / each["hit"] for each in rounds), "×")


def test_hits_and_misses_against_the_usual_program(sites: Sites, figure: Figures) -> None:
    as_bytes = PEER_LIST.replace("/providers", "/providers-bytes")
    cold = sites.cold_pages()
    hits, byte_hits, misses, cpu_seconds = [], [], [], []
    for _ in range(ROUNDS):
        ours = _pace(sites.ours + LIST)
        hits.append(ours / _pace(sites.peer + PEER_LIST))
        byte_hits.append(ours / _pace(sites.peer + as_bytes))
        pages = list(itertools.islice(cold, COLD_PAGES))
        used = load.cpu_seconds_of(sites.process_id)
        ours = _pace_cold(sites.ours, [path for path, _ in pages])
        cpu_seconds.append((load.cpu_seconds_of(sites.process_id) - used) / len(pages))
        misses.append(ours / _pace_cold(sites.peer, [path for _, path in pages]))
    figure("a hit against the usual program's hit", statistics.median(hits), "×")
    figure("a hit against its hit without validation", statistics.median(byte_hits), "×")
    figure("a miss against its miss", statistics.median(misses), "×")
    figure("our own CPU for a miss", statistics.median(cpu_seconds) * 1_000, "ms")


def _pace(address: str) -> float:
    return load.requests_per_second(address, seconds=SECONDS, headers={})


def _pace_cold(base: str, paths: list[str]) -> float:
    """Request every path once, one after the other, and return the number of answers per second."""
    with load.pinned_to_load_core(), httpx.Client(base_url=base) as client:
        client.get("/healthz")
        started = time.perf_counter()
        for path in paths:
            assert client.get(path).raise_for_status().headers.get("x-cache", "MISS") == "MISS"
        return len(paths) / (time.perf_counter() - started)
