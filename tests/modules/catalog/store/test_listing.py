"""The list against a brute-force oracle, its statements counted, and its indexes seen at work."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, Final

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from fairground.contracts.booking import BookingCompleted
from fairground.contracts.catalog import ImportedProvider, ProviderCard, ProviderQuery, ProviderSort
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from fairground.modules.catalog.domain.words import fold
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.tables import history
from fairground.platform.db.database import Database
from tests.support.proofs import Dose

WORDS: Final = ("Blå", "Jazz", "Åse's", "Kitchen", "DJ", "Løkka", "jazzy", "東京", "Trio")
PLACES: Final = ("Oslo, Norway", "Grünerløkka, Oslo", "Cape Town", "New York", "York", "Øst-Oslo")
CATEGORIES: Final = {"artists": ["dj", "band", "singer"], "chefs": ["italian", "thai"], "tutors": ["physics"]}
EDGES: Final = {"artists": [100, 200, 300, 450, 600, 800, 1000, 1500, 2500]}


@dataclass
class Expected:
    """What the oracle knows of a provider."""

    row: ImportedProvider
    vertical: str
    age: int
    card: ProviderCard = field(init=False)

    def matches(self, query: ProviderQuery, *, ignoring_price: bool = False) -> bool:
        row = self.row
        return (
            query.vertical in (None, self.vertical)
            and (query.category is None or query.category.lower() in row.categories)
            and _begins(row.business_name, query.q)
            and _begins(row.location, query.location)
            and (ignoring_price or _costs(row.price_minor, query))
        )

    def sort_key(self, sort: ProviderSort) -> tuple[Any, ...]:
        price = self.row.price_minor
        first: Any = {
            ProviderSort.MOST_BOOKED: -self.card.book_count,
            ProviderSort.TOP_RATED: -(self.card.rating or 0),
            ProviderSort.NEWEST: self.age,
            ProviderSort.PRICE: (price is None, price or 0),
        }[sort]
        return first, self.card.id


def _begins(value: str, prefix: str | None) -> bool:
    return f" {fold(prefix or '')}" in f" {fold(value)}" if fold(prefix or "") else True


def _costs(price_minor: int | None, query: ProviderQuery) -> bool:
    if query.min_price is None and query.max_price is None:
        return True
    high = 1e9 if query.max_price is None else query.max_price
    return price_minor is not None and round((query.min_price or 0) * 100) <= price_minor <= round(high * 100)


async def _populate(catalog: CatalogService, chance: random.Random, *, steps: int) -> list[Expected]:
    """Import providers in steps, each of them a second newer than the one before, and tell of some what was told."""
    everybody: list[Expected] = []
    for step in range(steps):
        vertical = chance.choice(list(CATEGORIES))
        rows = [_a_row(chance, vertical, f"{step}-{number}") for number in range(chance.randint(1, 6))]
        await catalog.import_providers(vertical=vertical, source="test", providers=rows)
        everybody += [Expected(row=row, vertical=vertical, age=-step) for row in rows]
    cards = (await catalog.search_providers(query=ProviderQuery(limit=100))).data
    for card in chance.sample(cards, k=len(cards) // 2):
        count = chance.randint(1, 3)
        await catalog.record_completion(_completed(card, count))
        stars = chance.randint(count, 5 * count)
        await catalog.record_rating(ProviderRated(provider_id=card.id, rating_sum=stars, rating_count=count))
    by_name = {card.custom_subtitle: card for card in (await _all_pages(catalog, ProviderQuery(limit=100)))}
    for expected in everybody:
        expected.card = by_name[expected.row.external_id]
    return everybody


def _a_row(chance: random.Random, vertical: str, number: str) -> ImportedProvider:
    return ImportedProvider(
        external_id=number,
        custom_subtitle=number,
        business_name=" ".join(chance.choices(WORDS, k=chance.randint(1, 3))),
        location=chance.choice(PLACES),
        timezone="Europe/Oslo",
        categories=chance.sample(CATEGORIES[vertical], k=chance.randint(1, len(CATEGORIES[vertical]))),
        price_minor=chance.choice([None, 100, 9_999, 10_000, 10_001, 20_000, 250_000, 999_999]),
    )


def _completed(card: ProviderCard, count: int) -> BookingCompleted:
    return BookingCompleted(
        booking_id=uuid7(), customer_id=uuid7(), provider_id=card.id, provider_completed_count=count
    )


def _a_query(chance: random.Random) -> ProviderQuery:
    def maybe(*choices: Any) -> Any:
        return chance.choice((None, None, *choices))

    return ProviderQuery(
        vertical=maybe(*CATEGORIES),
        category=maybe("DJ", "band", "italian", "physics"),
        location=maybe("oslo", "OSLO, nor", "york", "new y", "o", "øst"),
        q=maybe("jazz", "ja", "Åses", "lokka", "dj løkka", "東", "!", "trio "),
        min_price=maybe(0, 1, 99.99, 100, 100.01, 5000),
        max_price=maybe(0, 99.99, 100, 2500),
        sort=chance.choice(list(ProviderSort)),
        page=chance.randint(1, 3),
        limit=chance.choice((1, 2, 5, 100)),
        include_price_distribution=chance.random() < 0.5,
    )


async def _all_pages(catalog: CatalogService, query: ProviderQuery) -> list[ProviderCard]:
    cards: list[ProviderCard] = []
    for page in range(1, 100):
        found = (await catalog.search_providers(query=query.model_copy(update={"page": page}))).data
        cards += found
        if not found:
            break
    return cards


async def test_every_page_is_what_an_oracle_expects(catalog: CatalogService, dose: Dose) -> None:
    chance = random.Random(20_260_301)
    everybody = await _populate(catalog, chance, steps=dose(small=15, full=25))
    for _ in range(dose(small=120, full=2_000)):
        query = _a_query(chance)
        matching = sorted((one for one in everybody if one.matches(query)), key=lambda one: one.sort_key(query.sort))
        start = (query.page - 1) * query.limit
        found = await catalog.search_providers(query=query)
        assert [card.id for card in found.data] == [one.card.id for one in matching[start : start + query.limit]], query
        assert found.total == len(matching), query
        if found.price_distribution and query.vertical == "artists":
            prices = [one.row.price_minor for one in everybody if one.matches(query, ignoring_price=True)]
            assert [band.count for band in found.price_distribution] == _histogram(prices), query


def _histogram(prices: list[int | None]) -> list[int]:
    bounds = [0, *(edge * 100 for edge in EDGES["artists"]), 10**12]
    return [sum(price is not None and low <= price < high for price in prices) for low, high in pairwise(bounds)]


async def test_pages_never_overlap_and_miss_nobody(catalog: CatalogService) -> None:
    everybody = await _populate(catalog, random.Random(7), steps=12)
    for sort in ProviderSort:
        cards = await _all_pages(catalog, ProviderQuery(sort=sort, limit=5))
        assert len(cards) == len({card.id for card in cards}) == len(everybody)


@pytest.mark.parametrize("limit", [1, 100])
async def test_a_list_takes_at_most_four_statements_at_any_length(
    catalog: CatalogService, db: Database, limit: int
) -> None:
    await _populate(catalog, random.Random(3), steps=12)
    with _statements(db) as statements:
        found = await catalog.search_providers(query=ProviderQuery(vertical="artists", q="j", limit=limit))
    assert found.data
    assert len(statements) == 3


async def test_every_sort_reads_its_page_in_the_order_of_an_index(catalog: CatalogService, db: Database) -> None:
    for step in range(2):
        rows = [_a_row(random.Random(number), "chefs", f"{step}-{number}") for number in range(500)]
        await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    for sort, vertical in product(ProviderSort, (None, "chefs")):
        with _statements(db) as statements:
            await catalog.search_providers(query=ProviderQuery(vertical=vertical, sort=sort))
        [page] = [statement for statement in statements if "ORDER BY" in statement[0] and "LIMIT" in statement[0]]
        plan = _explain(db, *page)
        # Where everybody is of one vertical, the planner may as well take the index over all of them.
        assert any(f"ix_catalog_provider__{prefix}{sort}" in plan for prefix in ("vertical_", ""))
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


async def test_words_and_categories_are_found_by_an_index(catalog: CatalogService, db: Database) -> None:
    rows = [_a_row(random.Random(number), "chefs", str(number)) for number in range(500)]
    await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    for query, index in (
        (ProviderQuery(q="kitch"), "pk_catalog_provider_phrase"),
        (ProviderQuery(location="cape"), "pk_catalog_provider_phrase"),
        (ProviderQuery(category="thai"), "ix_catalog_provider_category__category_provider_id"),
    ):
        with _statements(db) as statements:
            await catalog.search_providers(query=query)
        plans = "\n".join(_explain(db, *statement) for statement in statements)
        assert index in plans or "sqlite_autoindex_catalog_provider_phrase_1" in plans
        assert "SCAN catalog_provider_phrase" not in plans


def _explain(db: Database, sql: str, values: Any) -> str:
    engine = db.backend.migration_engine()
    with engine.connect() as connection:
        if db.backend.ops.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
        else:
            # Else it depends on when the server looks at its tables by itself.
            connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in history.metadata.sorted_tables)}")
            # A thousand rows fit into so few pages that the planner would rather read them all.
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET enable_sort = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {sql}", values).all()
    engine.dispose()
    return "\n".join(str(row[-1]) for row in rows)


@contextmanager
def _statements(db: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the queries that are sent, with their values."""
    engine: Any = db.backend._engine  # type: ignore[attr-defined]
    engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    sent: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        sent.append((sql, values))

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", listen)
