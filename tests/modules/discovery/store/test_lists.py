"""The list against a brute-force oracle, lean and full, by page number and by cursor."""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import pytest

from fairground.contracts.booking import BookingCompleted
from fairground.contracts.discovery import LeanProvider, ListedProvider, Near, PriceBand, ProviderQuery, ProviderSort
from fairground.contracts.imports import ImportedProvider
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.distances import distance_km
from fairground.kernel.folding import fold, squeezed
from fairground.kernel.ids import uuid7
from fairground.modules.discovery.store import lists
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.proofs import Dose
from tests.support.statements import statements_of

WORDS: Final = ("Blå", "Jazz", "Åse's", "Kitchen", "DJ", "Løkka", "jazzy", "東京", "Trio")
PLACES: Final = ("Oslo, Norway", "Grünerløkka, Oslo", "Cape Town", "New York", "York", "Øst-Oslo")
POINTS: Final = (
    None,
    None,
    (59.91, 10.75),
    (59.91, 10.75),
    (60.1, 10.2),
    (59.0, 11.9),
    (-17.8, 179.9),
    (-17.9, -179.9),
)
CATEGORIES: Final = {"artists": ["dj", "band", "singer"], "chefs": ["italian", "thai"], "tutors": ["physics"]}
EDGES: Final = {"artists": [100, 200, 300, 450, 600, 800, 1000, 1500, 2500], None: [25, 50, 100, 200, 400, 800, 1600]}


@dataclass
class Expected:
    """What the oracle knows of a provider."""

    row: ImportedProvider
    vertical: str
    age: int
    card: ListedProvider = field(init=False)

    def matches(self, query: ProviderQuery) -> bool:
        row = self.row
        return (
            self.is_among(query)
            and _begins(row.business_name, query.q)
            and _holds(row.location, query.location)
            and _costs(row.price_minor, query)
            and (self.card.rating or 0) >= (query.min_rating or 0)
            and (query.near is None or self.distance_km(query.near) <= query.near.radius_km)
        )

    def is_among(self, query: ProviderQuery) -> bool:
        return query.vertical in (None, self.vertical) and (
            query.category is None or query.category.lower() in self.row.categories
        )

    def distance_km(self, near: Near) -> float:
        if self.row.lat is None or self.row.lng is None:
            return 1e9
        return distance_km(near.lat, near.lng, self.row.lat, self.row.lng)

    def sort_key(self, query: ProviderQuery) -> tuple[Any, ...]:
        price = self.row.price_minor
        tie = self.card.id.int
        match query.sort:
            case ProviderSort.MOST_BOOKED:
                return -self.card.book_count, -tie
            case ProviderSort.TOP_RATED:
                return -(self.card.rating or 0), -tie
            case ProviderSort.NEWEST:
                return self.age, -tie
            case ProviderSort.PRICE:
                return price is None, price or 0, tie
            case ProviderSort.DISTANCE:
                assert query.near
                return round(self.distance_km(query.near), 6), tie


def _begins(value: str, prefix: str | None) -> bool:
    return f" {fold(prefix or '')}" in f" {fold(value)}" if fold(prefix or "") else True


def _holds(value: str, part: str | None) -> bool:
    return squeezed(part or "") in squeezed(value)


def _costs(price_minor: int | None, query: ProviderQuery) -> bool:
    if query.min_price is None and query.max_price is None:
        return True
    high = 1e9 if query.max_price is None else query.max_price
    return price_minor is not None and round((query.min_price or 0) * 100) <= price_minor <= round(high * 100)


async def _populate(catalog: Directory, chance: random.Random, *, steps: int) -> list[Expected]:
    """Import providers in steps, each a second newer than the one before, half of them booked and rated."""
    providers: list[Expected] = []
    for step in range(steps):
        vertical = chance.choice(list(CATEGORIES))
        rows = [_a_row(chance, vertical, f"{step}-{number}") for number in range(chance.randint(1, 6))]
        await catalog.import_providers(vertical=vertical, source="test", providers=rows)
        providers += [Expected(row=row, vertical=vertical, age=-step) for row in rows]
    cards = await _all_pages(catalog, ProviderQuery(limit=100))
    for card in chance.sample(cards, k=len(cards) // 2):
        count = chance.randint(1, 3)
        await catalog.record_completion(_completed(card, count))
        stars = chance.randint(count, 5 * count)
        await catalog.record_rating(ProviderRated(provider_id=card.id, rating_sum=stars, rating_count=count))
    by_name = {card.custom_subtitle: card for card in await _all_pages(catalog, ProviderQuery(limit=100))}
    for expected in providers:
        expected.card = by_name[expected.row.external_id]
    return providers


def _a_row(chance: random.Random, vertical: str, number: str) -> ImportedProvider:
    lat, lng = chance.choice(POINTS) or (None, None)
    return ImportedProvider(
        external_id=number,
        custom_subtitle=number,
        business_name=" ".join(chance.choices(WORDS, k=chance.randint(1, 3))),
        location=chance.choice(PLACES),
        lat=lat,
        lng=lng,
        timezone="Europe/Oslo",
        categories=chance.sample(CATEGORIES[vertical], k=chance.randint(1, len(CATEGORIES[vertical]))),
        price_minor=chance.choice([None, 100, 9_999, 10_000, 10_001, 20_000, 250_000, 999_999]),
    )


def _completed(card: ListedProvider, count: int) -> BookingCompleted:
    return BookingCompleted(
        booking_id=uuid7(), customer_id=uuid7(), provider_id=card.id, provider_completed_count=count
    )


def _a_query(chance: random.Random) -> ProviderQuery:
    def maybe(*choices: Any) -> Any:
        return chance.choice((None, None, *choices))

    near = maybe(Near(lat=59.9, lng=10.7, radius_km=40), Near(lat=-17.85, lng=179.99, radius_km=200))
    return ProviderQuery(
        vertical=maybe(*CATEGORIES),
        category=maybe("DJ", "band", "italian", "physics"),
        location=maybe("oslo", "OSLO, nor", "york", "new y", "o", "øst", "ork", "løkka", "ape t"),
        q=maybe("jazz", "ja", "Åses", "lokka", "dj løkka", "東", "!", "trio "),
        min_price=maybe(0, 1, 99.99, 100, 100.01, 5000),
        max_price=maybe(0, 99.99, 100, 2500),
        min_rating=maybe(1, 2.5, 5),
        near=near,
        sort=chance.choice([sort for sort in ProviderSort if near or sort is not ProviderSort.DISTANCE]),
        page=chance.randint(1, 3),
        limit=chance.choice((1, 2, 5, 100)),
        include_price_distribution=chance.random() < 0.5,
    )


async def _all_pages(catalog: Directory, query: ProviderQuery) -> list[ListedProvider]:
    cards: list[ListedProvider] = []
    while True:
        found = await catalog.search_providers(query=query)
        cards += found.data
        if found.next_cursor is None:
            return cards
        query = query.model_copy(update={"cursor": found.next_cursor})


@pytest.mark.parametrize("counted", [1_000, 4])
async def test_every_page_is_what_an_oracle_expects(
    catalog: Directory, dose: Dose, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if counted < 1_000:  # then most locations have more than are read as a whole
        monkeypatch.setattr(lists, "_COUNTED_MAX", counted)
        monkeypatch.setattr(lists, "_READ_AT_MOST", counted)
    chance = random.Random(20_260_301)
    providers = await _populate(catalog, chance, steps=dose(small=15, full=25))
    for _ in range(dose(small=60, full=2_000)):
        query = _a_query(chance)
        matching = sorted((one for one in providers if one.matches(query)), key=lambda one: one.sort_key(query))
        start = (query.page - 1) * query.limit
        found = await catalog.search_providers(query=query)
        assert [card.id for card in found.data] == [one.card.id for one in matching[start : start + query.limit]], query
        is_counted_out = counted < len(matching) and _is_narrowed(query)
        total = (counted, True) if is_counted_out else (len(matching), False)
        assert (found.total, found.total_is_lower_bound) == total, query
        if found.next_cursor:
            rest = await catalog.search_providers(query=query.model_copy(update={"cursor": found.next_cursor}))
            behind = matching[start + query.limit : start + 2 * query.limit]
            assert [card.id for card in rest.data] == [one.card.id for one in behind], query
            assert (rest.total, rest.total_is_lower_bound) == total, query
        if query.near:
            expected = [round(one.distance_km(query.near), 3) for one in matching[start : start + query.limit]]
            assert [card.distance_km for card in found.data] == expected
        if found.price_distribution and query.vertical in EDGES:
            prices = [one.row.price_minor for one in providers if one.is_among(query)]
            assert [band.count for band in found.price_distribution] == _histogram(prices, query.vertical), query
        lean = await catalog.search_lean(query=query)
        assert lean.model_dump(exclude={"data"}) == found.model_dump(exclude={"data"})
        assert lean.data == [
            LeanProvider(**card.model_dump(include=set(LeanProvider.model_fields))) for card in found.data
        ]


def _is_narrowed(query: ProviderQuery) -> bool:
    filters = {"location", "q", "min_price", "max_price", "min_rating", "near"}
    # A name without a letter asks for nothing.
    return bool(query.model_dump(include=filters, exclude_none=True)) and (
        query.q != "!" or bool(query.model_dump(include=filters - {"q"}, exclude_none=True))
    )


def _histogram(prices: list[int | None], vertical: str | None) -> list[int]:
    bounds = [0, *(edge * 100 for edge in EDGES[vertical]), 10**12]
    return [sum(price is not None and low <= price < high for price in prices) for low, high in pairwise(bounds)]


@pytest.mark.parametrize("read_at_most", [6, 7, 8])
async def test_both_scan_plans_list_a_location_alike(
    catalog: Directory, db: Database, monkeypatch: pytest.MonkeyPatch, read_at_most: int
) -> None:
    rows = [_a_row(random.Random(number), "chefs", str(number)) for number in range(12)]
    at_bergen = [
        row.model_copy(update={"location": "Bergen" if place % 2 else "Bergen, Norway"})
        for place, row in enumerate(rows[:7])
    ]
    elsewhere = [row.model_copy(update={"location": "Ber"}) for row in rows[7:]]
    await catalog.import_providers(vertical="chefs", source="test", providers=[*at_bergen, *elsewhere])
    monkeypatch.setattr(lists, "_COUNTED_MAX", 4)
    monkeypatch.setattr(lists, "_READ_AT_MOST", read_at_most)
    query = ProviderQuery(location="bergen", limit=2)
    await catalog.follow_changes()
    with statements_of(db) as statements:
        pages = [await _page(catalog, query, page) for page in (1, 2, 3, 4, 5)]
    found = [card.location for page in pages for card in page]
    assert (len(found), {*found}) == (7, {"Bergen", "Bergen, Norway"})
    assert len({card.id for card in [card for page in pages for card in page]}) == 7
    # A page that the entries read do not decide takes one statement more.
    assert len(statements) == (8 if read_at_most < 7 else 5)


async def test_pages_never_overlap_and_miss_no_provider(catalog: Directory) -> None:
    providers = await _populate(catalog, random.Random(7), steps=12)
    near = Near(lat=59.9, lng=10.7, radius_km=200)
    for sort in ProviderSort:
        query = ProviderQuery(sort=sort, limit=5, near=near if sort is ProviderSort.DISTANCE else None)
        matching = sorted((one for one in providers if one.matches(query)), key=lambda one: one.sort_key(query))
        by_cursor = [card.id for card in await _all_pages(catalog, query)]
        by_number = [card.id for page in range(1, 30) for card in (await _page(catalog, query, page))]
        assert by_cursor == by_number == [one.card.id for one in matching]


async def _page(catalog: Directory, query: ProviderQuery, page: int) -> list[ListedProvider]:
    return (await catalog.search_providers(query=query.model_copy(update={"page": page}))).data


async def test_cursor_continues_behind_its_page_when_new_providers_come(catalog: Directory) -> None:
    """The control: a page number counts from the start, and so shows again whom the newcomers have pushed back."""
    await _populate(catalog, random.Random(5), steps=10)
    query = ProviderQuery(sort=ProviderSort.NEWEST, limit=5)
    first = await catalog.search_providers(query=query)
    rows = [_a_row(random.Random(number), "chefs", f"new-{number}") for number in range(3)]
    await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    by_cursor = await catalog.search_providers(query=query.model_copy(update={"cursor": first.next_cursor}))
    seen = {card.id for card in first.data}
    assert not seen & {card.id for card in by_cursor.data}
    assert seen & {card.id for card in await _page(catalog, query, 2)}


@pytest.mark.parametrize("limit", [1, 100])
async def test_a_list_of_any_length_takes_one_statement_and_its_prices_another(
    catalog: Directory, db: Database, limit: int
) -> None:
    await _populate(catalog, random.Random(3), steps=12)
    for query in (
        ProviderQuery(vertical="artists", limit=limit, include_price_distribution=True),
        ProviderQuery(vertical="artists", q="j", limit=limit),
        ProviderQuery(category="dj", min_price=1, near=Near(lat=59.9, lng=10.7), limit=limit),
    ):
        await catalog.follow_changes()
        with statements_of(db) as full:
            assert (await catalog.search_providers(query=query)).data
        await catalog.follow_changes()
        with statements_of(db) as lean:
            await catalog.search_lean(query=query)
        assert len(full) == len(lean) == (2 if query.include_price_distribution else 1)


async def test_a_lean_list_reads_only_what_it_shows(catalog: Directory, db: Database) -> None:
    await catalog.follow_changes()
    with statements_of(db) as statements:
        await catalog.search_lean(query=ProviderQuery())
    page = statements[0][0]
    for column in ("bio", "location", "rating_avg", "owner_id", "slug", "custom_subtitle"):
        assert column not in page


async def test_price_bands_alone_are_those_beside_the_list(catalog: Directory) -> None:
    providers = await _populate(catalog, random.Random(9), steps=15)
    for vertical in (None, "artists"):
        for category in (None, "dj", "band"):
            found: list[PriceBand] = await catalog.get_price_distribution(vertical=vertical, category=category)
            query = ProviderQuery(vertical=vertical, category=category)
            prices = [one.row.price_minor for one in providers if one.is_among(query)]
            assert [band.count for band in found] == _histogram(prices, vertical)
