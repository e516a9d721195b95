"""Search among many providers: a query in the service, without a cache, with facets, against a page of a list.

CPU is that of this process and of the process of PostgreSQL that works for its only connection.

`make bench` takes 1,000 providers; FAIRGROUND_PROOF_DOSE=full takes 100,000, the dose of docs/benchmarks.md.
"""

import gc
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any, Final

import pytest
from sqlalchemy import select, text

from benchmarks.marketplace import Marketplace, build
from benchmarks.measuring import Meter, Rounds, backend_processes
from benchmarks.results import Recorder
from fairground.contracts.discovery import ProviderQuery, SearchQuery
from fairground.kernel.zones import SystemClock
from fairground.modules.discovery.domain.search.documents import Document, describe
from fairground.modules.discovery.store.search import BuiltInSearch
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE, ListedProviderRow, ListEntryRow
from fairground.platform.db.database import Database
from fairground.verticals.loader import load_verticals
from tests.support.databases import migrate
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose

pytestmark = pytest.mark.anyio

SECTION: Final = "Search"
LIST_PAGE: Final = "a page of 24 without a search"
BATCH: Final = 2_000
WORDS: Final = 3_000
WORDS_OF_BIO: Final = 60
QUESTIONS_OF_A_KIND: Final = 20


class Prose:
    """Invented words, some of them in most texts and many in few, as in any language."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        letters = "abdefgiklmnoprstuv"
        self.words = ["".join(self._chance.choices(letters, k=self._chance.randint(3, 10))) for _ in range(WORDS)]
        self._cumulated = list(accumulate(1 / (rank + 2) for rank in range(WORDS)))

    def text(self, length: int) -> str:
        return " ".join(self._chance.choices(self.words, cum_weights=self._cumulated, k=length))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    migrate(database_url)
    database = Database(database_url, outbox=RecordingOutbox(), pool_size=1)
    yield database
    await database.close()


async def test_a_search_among_many(db: Database, dialect: str, dose: Dose, record: Recorder) -> None:
    market = await build(db, providers=dose(small=1_000, full=100_000))
    prose = Prose()
    rate = await _index(db, prose)
    record.note(SECTION, f"documents indexed, {dialect}", rate, "1/s")
    catalog = Directory(
        db=db,
        verticals=load_verticals(),
        clock=SystemClock(),
    )
    # Objects from filling the database are none of a server's, and every collection would go through them.
    gc.collect()
    gc.freeze()
    process_ids = [os.getpid(), *await backend_processes(db)]
    by_kind, rounds, everything = await _questions(db, market, prose), Rounds(), list[float]()
    for turn, kind in enumerate(rounds.turns(LIST_PAGE, *by_kind)):
        meter, took = Meter(*process_ids), list[float]()
        for number in range(QUESTIONS_OF_A_KIND):
            if kind == LIST_PAGE:
                await catalog.search_providers(query=ProviderQuery(limit=24))
            else:
                took.append(await _milliseconds(catalog, by_kind[kind][number]))
        rounds.add(kind, meter.cost(units=QUESTIONS_OF_A_KIND))
        everything += took if turn > len(by_kind) else []  # the first round warms up
    for kind in by_kind:
        what = f"{kind}, {dialect}"
        record.compare(SECTION, what, LIST_PAGE, rounds, unit="search", ours=kind, theirs=LIST_PAGE)
    record.note(SECTION, f"all searches among {market.providers:,} providers, {dialect}: p95", _p95(everything), "ms")


async def _index(db: Database, prose: Prose) -> float:
    """Index all providers with texts of a usual length, and return the number of providers per second."""
    columns = (
        ListedProviderRow.id,
        ListedProviderRow.vertical,
        ListedProviderRow.price_from_minor,
        ListedProviderRow.business_name,
        ListedProviderRow.location,
        ListedProviderRow.book_count,
        ListedProviderRow.rating_avg,
        ListedProviderRow.categories,
        ListEntryRow.open_days,
    )
    async with db.read() as tx:
        is_of_all = (ListEntryRow.provider_id == ListedProviderRow.id) & (ListEntryRow.scope == ALL_PROVIDERS_SCOPE)
        statement = select(*columns).join(ListEntryRow, is_of_all)
        rows = list(await tx.all(statement.order_by(ListedProviderRow.id)))
    started, engine = time.perf_counter(), BuiltInSearch()
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        async with db.write() as tx:
            if tx.ops.name == "postgresql":
                await tx.execute(text("SET LOCAL statement_timeout = 0"))
            await engine.put(tx, _documents(some, prose))
    rate = len(rows) / (time.perf_counter() - started)
    engine_of = db.backend.migration_engine()
    with engine_of.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if db.backend.ops.name == "postgresql" else "ANALYZE"))
    engine_of.dispose()
    return rate


def _documents(rows: Sequence[Any], prose: Prose) -> list[Document]:
    return [
        describe(
            provider_id=row.id,
            vertical=row.vertical,
            price_from_minor=row.price_from_minor,
            business_name=row.business_name,
            location=row.location,
            categories=row.categories.split(),
            services=[prose.text(3), prose.text(3)],
            texts=[prose.text(8), prose.text(WORDS_OF_BIO)],
            book_count=row.book_count,
            rating_avg=row.rating_avg,
            open_days=row.open_days,
        )
        for row in rows
    ]


async def _questions(db: Database, market: Marketplace, prose: Prose) -> dict[str, list[SearchQuery]]:
    chance = random.Random(11)
    async with db.read() as tx:
        names = await tx.scalars(select(ListedProviderRow.business_name).order_by(ListedProviderRow.id))
    packs = list(load_verticals())

    def ask(questions: Iterator[str] | Sequence[str], **more: Any) -> list[SearchQuery]:
        return [SearchQuery(q=question, limit=24, **more) for question in questions]

    some_names = chance.sample(names, QUESTIONS_OF_A_KIND)
    cities = [city.name for city in market.cities[:QUESTIONS_OF_A_KIND]]
    categories = [chance.choice(chance.choice(packs).categories).name for _ in range(QUESTIONS_OF_A_KIND)]
    return {
        "a whole name": ask(some_names),
        "a first name": ask([name.split()[0] for name in some_names]),
        "the beginning of a name": ask([name.split()[1][:4] for name in some_names]),
        "a name with a mistake": ask([f"{name[:-3]}{name[-2]}{name[-3]}{name[-1]}" for name in some_names]),
        "a category": ask(categories),
        "a city": ask(cities),
        "a category in a city": ask([f"{category} {city}" for category, city in zip(categories, cities, strict=True)]),
        "a category, narrowed": ask(categories, min_price=50, max_price=400, min_rating=4),
        "a city, one vertical": ask(cities, vertical="artists"),
        "a category, free today": ask(categories, when=market.free_from),
        "a category, free tomorrow": ask(categories, when=market.free_from + timedelta(days=1)),
        "the commonest words": ask(prose.words[:QUESTIONS_OF_A_KIND]),
        "a rare word": ask(prose.words[-QUESTIONS_OF_A_KIND:]),
        "two letters": ask([word[:2] for word in prose.words[:QUESTIONS_OF_A_KIND]]),
        "nothing anywhere": ask([f"zzq{number}yyx" for number in range(QUESTIONS_OF_A_KIND)]),
    }


async def _milliseconds(catalog: Directory, question: SearchQuery) -> float:
    started = time.perf_counter()
    await catalog.search(query=question)
    return (time.perf_counter() - started) * 1_000


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
