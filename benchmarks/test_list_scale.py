"""Lists of many providers against the same lists of a thousand: a page must not cost more.

CPU is that of this process and of the process of PostgreSQL that works for its only connection. A filter is measured
with all of its sorts. At the full dose there are 100,000 providers, and on PostgreSQL a million besides.
"""

import contextlib
import os
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from benchmarks.list_queries import list_queries
from benchmarks.marketplace import Marketplace, build
from benchmarks.measuring import Cost, Meter, Rounds, backend_processes
from benchmarks.results import Recorder
from fairground.contracts.discovery import ProviderQuery
from fairground.kernel.zones import SystemClock
from fairground.platform.db.database import Database
from fairground.verticals.loader import load_verticals
from tests.support.databases import migrate
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import fresh_database
from tests.support.proofs import Dose

pytestmark = pytest.mark.anyio

SECTION: Final = "Lists among many providers"
PAGES: Final = (1, 2, 5, 12, 30, 50)
FEW: Final = 1_000
REQUESTS: Final = 200
RATIO_MAX: Final = 3
CIRCLES: Final = ("near",)
"""All entries of a circle are read and sorted, so its cost follows the number of providers."""


class Place:
    """A marketplace with a catalog in front of it."""

    def __init__(self, db: Database, built: Marketplace, *, process_ids: Sequence[int]) -> None:
        self.built = built
        self.process_ids = process_ids
        self.catalog = Directory(
            db=db,
            verticals=load_verticals(),
            clock=SystemClock(),
        )

    async def full_pages(self, query: ProviderQuery) -> list[ProviderQuery]:
        """Return a query for each page that is full; the first one in any case."""
        pages = [query.model_copy(update={"page": page}) for page in PAGES]
        found = [len((await self.catalog.search_providers(query=page)).data) for page in pages]
        return [page for page, length in zip(pages, found, strict=True) if length == query.limit or page is pages[0]]

    async def cost_of_pages(self, pages: Sequence[ProviderQuery]) -> tuple[Cost, list[float]]:
        """Return what one of the pages took, and how many milliseconds each waited."""
        waits, meter = list[float](), Meter(*self.process_ids)
        for page in pages:
            began_at = time.perf_counter()
            await self.catalog.search_providers(query=page)
            waits.append((time.perf_counter() - began_at) * 1_000)
        return meter.cost(units=len(pages)), waits


@pytest.fixture
async def places(
    dialect: str, tmp_path: Path, dose: Dose, request: pytest.FixtureRequest
) -> AsyncIterator[list[Place]]:
    """Give the same marketplace in several sizes, the smallest first."""
    sizes = [FEW, dose(small=10_000, full=100_000)]
    if dialect == "postgres":
        sizes += dose(small=[], full=[1_000_000])
    async with contextlib.AsyncExitStack() as stack:
        urls = [f"sqlite:///{tmp_path / str(size)}.db" for size in sizes]
        if dialect == "postgres":
            server = request.getfixturevalue("postgres_server")
            urls = [stack.enter_context(fresh_database(server)) for _ in sizes]
        yield [await _open(stack, url, providers=size) for url, size in zip(urls, sizes, strict=True)]


async def _open(stack: contextlib.AsyncExitStack, url: str, *, providers: int) -> Place:
    migrate(url)
    # One connection, so that one process of PostgreSQL does all of the work and can be measured.
    db = Database(url, outbox=RecordingOutbox(), pool_size=1)
    stack.push_async_callback(db.close)
    built = await build(db, providers=providers)
    return Place(db, built, process_ids=[os.getpid(), *await backend_processes(db)])


async def test_a_page_costs_as_much_among_many_as_among_a_thousand(
    places: list[Place], dialect: str, record: Recorder
) -> None:
    by_filter: dict[str, list[str]] = defaultdict(list)
    questions = {place.built.providers: dict(list_queries(place.built)) for place in places}
    for name in questions[FEW]:
        by_filter[name.rpartition(",")[0]].append(name)
    by_size = {str(place.built.providers): place for place in places}
    slowest: dict[str, float] = defaultdict(float)
    for kind, names in by_filter.items():
        rounds, waits = Rounds(), defaultdict[str, list[float]](list)
        pages = {
            size: [page for name in names for page in await place.full_pages(questions[int(size)][name])]
            for size, place in by_size.items()
        }
        for turn, size in enumerate(rounds.turns(*by_size)):
            cost, waited = await by_size[size].cost_of_pages(pages[size])
            rounds.add(size, cost)
            waits[size] += waited if turn >= len(by_size) else []  # the first round warms up
        for size in list(by_size)[1:]:
            what, against = f"{kind}, {int(size):,} providers, {dialect}", f"{FEW:,} providers"
            most = RATIO_MAX if kind not in CIRCLES else None
            record.compare(SECTION, what, against, rounds, unit="page", ours=size, theirs=str(FEW), cpu_ratio_max=most)
            slowest[size] = max(slowest[size], statistics.quantiles(waits[size], n=20)[-1])
    for size, milliseconds in slowest.items():
        name = f"{int(size):,} providers, {dialect}: p95 of the slowest filter with all its sorts"
        record.note(SECTION, name, milliseconds, "ms")
    for place in places[1:]:
        record.note(SECTION, f"loading {place.built.providers:,}, {dialect}", place.built.seconds, "s")


async def test_a_full_page_against_a_lean_one(places: list[Place], dialect: str, record: Recorder) -> None:
    """Measure our own process alone, which for SQLite is the database as well."""
    query = ProviderQuery(vertical="artists", category="dj", limit=12)
    for place in places:
        asks = {"lean": place.catalog.search_lean, "full": place.catalog.search_providers}
        rounds = Rounds()
        for name in rounds.turns(*asks):
            meter = Meter(os.getpid())
            for _ in range(REQUESTS):
                await asks[name](query=query)
            rounds.add(name, meter.cost(units=REQUESTS))
        what = f"a lean page of 12, our process alone, {place.built.providers:,} providers, {dialect}"
        record.compare(SECTION, what, "a full page", rounds, unit="page", ours="lean", theirs="full")
