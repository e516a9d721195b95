"""Lists of many providers against the same lists of a thousand: a page must not become slower.

At the full dose a million are built on PostgreSQL besides, which takes minutes.
"""

import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.list_queries import list_queries
from benchmarks.marketplace import Marketplace, build
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

ROUNDS: Final = 5
PAGES: Final = (1, 2, 3, 5, 8, 12, 17, 23, 30, 38, 44, 50)
FEW: Final = 1_000
REQUESTS: Final = 200

Report = Callable[[str, float, str], None]


class Place:
    """A marketplace with a catalog in front of it."""

    def __init__(self, db: Database, built: Marketplace) -> None:
        self.built = built
        self.catalog = Directory(
            db=db,
            verticals=load_verticals(),
            clock=SystemClock(),
        )

    async def milliseconds(self, query: ProviderQuery) -> float | None:
        """Return how long a page took; None for one after the last."""
        start = time.perf_counter()
        found = await self.catalog.search_providers(query=query)
        took = (time.perf_counter() - start) * 1_000
        return took if found.data or query.page == 1 else None


@pytest.fixture
async def places(
    dialect: str, tmp_path: Path, dose: Dose, request: pytest.FixtureRequest
) -> AsyncIterator[list[Place]]:
    """Give the same marketplace in several sizes, the smallest first."""
    sizes = [FEW, 100_000]
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
    db = Database(url, outbox=RecordingOutbox())
    stack.push_async_callback(db.close)
    return Place(db, await build(db, providers=providers))


async def test_a_page_takes_as_long_among_many_as_among_a_thousand(
    places: list[Place], dialect: str, figure: Report
) -> None:
    for place in places:
        figure(f"{dialect}: seconds to load {place.built.providers:,}", place.built.seconds, "s")
    times = await _all_times(places)
    for name, by_size in times.items():
        few = _p95(by_size[FEW])
        for size, taken in by_size.items():
            figure(f"{dialect}, {name}: p95 at {size:,}", _p95(taken), "ms")
            if size > FEW:
                figure(f"{dialect}, {name}: p95 at {size:,} against {FEW:,}", _p95(taken) / few, "×")


async def _all_times(places: list[Place]) -> dict[str, dict[int, list[float]]]:
    """Return the milliseconds of every query by the size of the marketplace, measured in turns."""
    questions = [dict(list_queries(place.built)) for place in places]
    times: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name in questions[0]:
        for number in range(ROUNDS + 1):
            for page in PAGES:
                for place, asked in zip(places, questions, strict=True):
                    took = await place.milliseconds(asked[name].model_copy(update={"page": page}))
                    if took is not None and number > 0:  # the first round warms up
                        times[name][place.built.providers].append(took)
    return times


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def test_cpu_of_a_cold_page(places: list[Place], dialect: str, figure: Report) -> None:
    """Measure our own process alone, which for SQLite is the database as well."""
    filters: dict[str, Any] = {"vertical": "artists", "category": "dj", "limit": 12}
    for place in places:
        query = ProviderQuery(**filters)
        for ask, kind in ((place.catalog.search_providers, "full"), (place.catalog.search_lean, "lean")):
            spent = []
            for _ in range(ROUNDS):
                start = time.process_time()
                for _ in range(REQUESTS):
                    await ask(query=query)
                spent.append((time.process_time() - start) / REQUESTS * 1_000)
            figure(
                f"{dialect}: CPU of a {kind} page of 12 at {place.built.providers:,}", statistics.median(spent), "ms"
            )
