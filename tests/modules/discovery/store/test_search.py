"""What any search engine must do; the engines that pass are listed in the fixture."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.imports import ImportedProvider
from fairground.modules.discovery.domain.search.documents import Document, describe
from fairground.modules.discovery.domain.search.question import CategoryWords, Question
from fairground.modules.discovery.domain.search.ranking import Candidate
from fairground.modules.discovery.store.filters import ListFilter
from fairground.modules.discovery.store.search import BuiltInSearch, SearchEngine
from fairground.platform.db.database import Database
from fairground.verticals.loader import load_verticals
from tests.support.directory import Directory

ALL = ListFilter(scopes=[""])
WORDS = CategoryWords(load_verticals())


@pytest.fixture(params=[BuiltInSearch])
def engine(request: pytest.FixtureRequest) -> SearchEngine:
    made: SearchEngine = request.param()
    return made


class Bench:
    """An engine with providers in the database, to which its documents refer."""

    def __init__(self, db: Database, engine: SearchEngine, ids: list[UUID]) -> None:
        self.db = db
        self.engine = engine
        self.ids = ids

    def document(self, place: int, **changes: Any) -> Document:
        usual: dict[str, Any] = {
            "provider_id": self.ids[place],
            "vertical": "artists",
            "price_from_minor": 1_000,
            "business_name": f"Sometrio {place}",
            "location": "Oslo, Norway",
            "categories": ["dj"],
            "services": ["Evening set"],
            "texts": ("Vinyl only.",),
            "book_count": place,
            "rating_avg": 4.0,
            "open_days": 0,
        }
        return describe(**(usual | changes))

    async def put(self, *documents: Document) -> None:
        async with self.db.write() as tx:
            await self.engine.put(tx, documents)

    async def find(self, typed: str, list_filter: ListFilter = ALL, *, at_most: int = 100) -> list[Candidate]:
        async with self.db.read() as tx:
            return await self.engine.find(tx, Question.read(typed, WORDS), list_filter, at_most=at_most)

    async def places(self, typed: str, list_filter: ListFilter = ALL) -> list[int]:
        return sorted(self.ids.index(candidate.provider_id) for candidate in await self.find(typed, list_filter))


@pytest.fixture
async def bench(db: Database, engine: SearchEngine, catalog: Directory) -> Bench:
    rows = [
        ImportedProvider(
            external_id=str(number),
            business_name=f"Row {number}",
            location="Nowhere",
            timezone="Europe/Oslo",
            categories=["dj" if number < 6 else "band"],
            price_minor=1_000 * (number + 1),
        )
        for number in range(12)
    ]
    await catalog.import_providers(vertical="artists", source="test", providers=rows)
    listed = await catalog.search_providers(query=ProviderQuery(limit=100))
    known = {card.business_name: card.id for card in listed.data}
    ids = [known[f"Row {number}"] for number in range(12)]
    async with db.write() as tx:
        await engine.drop(tx, ids)
    return Bench(db, engine, ids)


async def test_candidate_has_the_fields_of_its_document(bench: Bench) -> None:
    await bench.put(bench.document(0, business_name="DJ Løkka", book_count=7))
    [found] = await bench.find("lokka")
    assert found == Candidate(
        provider_id=bench.ids[0],
        name="dj lokka",
        place="oslo norway",
        categories="dj",
        services="evening set",
        book_count=7,
        rating_avg=4.0,
        vertical="artists",
        location="Oslo, Norway",
        price_from_minor=1_000,
    )


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("sometrio", True),
        ("some", True),
        ("trio", False),
        ("osl", True),
        ("DISC jockey", True),
        ("deejay oslo", True),
        ("eveni", True),
        ("vinyl", True),
        ("viny", True),
        ("vin", False),
        ("sometrio in norway", True),
        ("sometrio bergen", False),
        ("band", False),
        ("' OR * ) : & | ! <-> \" NEAR(", False),
        ("sometrio's \\ 'set\" -vinyl", False),
        ("AND OR NOT", False),
    ],
)
async def test_every_word_must_be_found_anywhere(bench: Bench, typed: str, *, is_found: bool) -> None:
    await bench.put(bench.document(0))
    assert await bench.places(typed) == ([0] if is_found else [])


async def test_scripts_without_spaces_are_found_inside(bench: Bench) -> None:
    await bench.put(bench.document(0, business_name="東京ジャズトリオ"), bench.document(1, business_name="京都トリオ"))
    expected = {"東京": [0], "京": [0, 1], "トリオ": [0, 1], "ジャズ": [0], "京東": [], "オ": [0, 1], "東京トリオ": []}
    assert {typed: await bench.places(typed) for typed in expected} == expected


async def test_a_document_is_replaced_and_dropped(bench: Bench) -> None:
    await bench.put(bench.document(0), bench.document(1))
    await bench.put(bench.document(0, business_name="Renamed"), replace(bench.document(1), book_count=99))
    assert (await bench.places("sometrio"), await bench.places("renamed")) == ([1], [0])
    assert [found.book_count for found in await bench.find("sometrio")] == [99]
    async with bench.db.write() as tx:
        await bench.engine.drop(tx, [bench.ids[0], bench.ids[5]])
    assert (await bench.places("renamed"), await bench.places("oslo")) == ([], [1])


async def test_rolled_back_document_is_not_found(bench: Bench) -> None:
    async def put_and_fail() -> None:
        async with bench.db.write() as tx:
            await bench.engine.put(tx, [bench.document(0)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await put_and_fail()
    assert await bench.places("sometrio") == []


async def test_candidates_match_the_filter(bench: Bench) -> None:
    figures = [
        {"categories": ["dj" if place < 6 else "band"], "price_from_minor": 1_000 * (place + 1)} for place in range(12)
    ]
    await bench.put(*(bench.document(place, **figures[place]) for place in range(12)))
    assert await bench.places("sometrio", ListFilter(scopes=["artists/band"])) == [6, 7, 8, 9, 10, 11]
    assert await bench.places("sometrio", ListFilter(scopes=["chefs"])) == []
    assert await bench.places("sometrio", ListFilter(scopes=[""], min_minor=9_000, max_minor=10_000)) == [8, 9]


async def test_of_many_the_best_are_returned(bench: Bench) -> None:
    named = [bench.document(place, business_name=f"Vinyl {place}", book_count=0) for place in (0, 1)]
    placed = [bench.document(place, location="Vinyl", book_count=1) for place in (2, 3)]
    await bench.put(*named, *placed, *(bench.document(place) for place in range(4, 12)))
    few = {found.provider_id for found in await bench.find("vinyl", at_most=1)}
    assert few == {bench.ids[0], bench.ids[1]}
    more = [found.provider_id for found in await bench.find("vinyl", at_most=5)]
    assert len(more) > 5
    assert {*bench.ids[:4], bench.ids[11], bench.ids[10]} <= set(more)


async def test_location_filter_keeps_candidates_of_every_tier(bench: Bench) -> None:
    named = [bench.document(place, business_name="Vinyl") for place in range(3)]
    placed = [bench.document(place, location="Vinyl") for place in range(3, 6)]
    await bench.put(*named, *placed, *(bench.document(place) for place in range(6, 12)))
    there = ListFilter(scopes=[""], location="nowhere")
    assert await bench.places("vinyl", there) == list(range(12))
    assert {found.provider_id for found in await bench.find("vinyl", there, at_most=2)} == set(bench.ids[:3])
    assert await bench.places("vinyl", replace(there, location="elsewhere")) == []


async def test_near_words_come_from_names_services_and_places(bench: Bench) -> None:
    await bench.put(bench.document(0, business_name="Watanabe", texts=("Nightingale",)))
    async with bench.db.read() as tx:
        near = await bench.engine.near_words(
            tx, ["watnabe", "wtaanabe", "olso", "evenings", "nightingal", "oslo", "zzzz"]
        )
    found = {word: set(others) for word, others in near.items() if others}
    assert found == {"watnabe": {"watanabe"}, "wtaanabe": {"watanabe"}, "olso": {"oslo"}, "evenings": {"evening"}}


async def test_frequent_word_compares_no_more_documents_than_the_limit(bench: Bench) -> None:
    await bench.put(*(bench.document(place) for place in range(12)))
    bench.engine = BuiltInSearch(looked_at_max=5)
    assert len(await bench.find("sometrio")) == 5
