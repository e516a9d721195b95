"""Both databases give the same answers to the same questions, and the right ones."""

import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from fairground.contracts.discovery import SearchQuery
from fairground.modules.discovery.domain.search.question import CategoryWords, Question
from fairground.modules.discovery.domain.search.ranking import ranked
from fairground.modules.discovery.store.filters import ListFilter
from fairground.modules.discovery.store.search import BuiltInSearch
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE
from fairground.platform.db.database import Database, ReadTx
from fairground.verticals.loader import Verticals
from tests.modules.discovery.search.labelled import KEY_OF_NAME, QUESTIONS, TOP, fill
from tests.support.databases import copy_of
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import empty
from tests.support.providers import People, SteppingClock

LEAST_RECALL: Final = 0.95


class Literal(BuiltInSearch):
    """The control: an engine that forgives no mistake."""

    async def near_words(self, tx: ReadTx, words: Collection[str]) -> Mapping[str, Mapping[str, int]]:  # noqa: ARG002
        return {}


@asynccontextmanager
async def market(url: str, verticals: Verticals) -> AsyncIterator[tuple[Database, Directory]]:
    db = Database(url, outbox=RecordingOutbox())
    catalog = service(db, verticals)
    await fill(catalog)
    yield db, catalog
    await db.close()


def service(db: Database, verticals: Verticals, engine: BuiltInSearch | None = None) -> Directory:
    return Directory(
        db=db,
        engine=engine,
        people=People(),
        verticals=verticals,
        clock=SteppingClock(),
    )


@pytest.fixture
async def markets(
    sqlite_template: Path, postgres_database: str, tmp_path: Path, verticals: Verticals
) -> AsyncIterator[list[tuple[Database, Directory]]]:
    """Give the same market on both dialects."""
    empty(postgres_database)
    async with AsyncExitStack() as stack:
        urls = (copy_of(sqlite_template, tmp_path), postgres_database)
        yield [await stack.enter_async_context(market(url, verticals)) for url in urls]


async def first_ten(catalog: Directory, typed: str) -> list[str]:
    found = await catalog.search(query=SearchQuery(q=typed, limit=TOP))
    return [KEY_OF_NAME[card.business_name] for card in found.data]


def recall(answers: Mapping[str, list[str]]) -> float:
    return statistics.mean(each.recall(answers[each.typed]) for each in QUESTIONS if each.wanted)


async def test_both_databases_give_the_same_ten_and_the_right_ones(
    markets: list[tuple[Database, Directory]], figure: Callable[[str, float, str], None], verticals: Verticals
) -> None:
    answers = [{each.typed: await first_ten(catalog, each.typed) for each in QUESTIONS} for _, catalog in markets]
    assert answers[0] == answers[1]
    assert len(QUESTIONS) >= 200
    assert recall(answers[0]) >= LEAST_RECALL, _misses(answers[0])
    figure("recall@10 of the labelled questions", recall(answers[0]), f"of {len(QUESTIONS)}")
    # Without spellings the fixture would not be met: it does ask for them.
    literal = service(markets[0][0], verticals, Literal())
    without = recall({each.typed: await first_ten(literal, each.typed) for each in QUESTIONS})
    assert without < LEAST_RECALL
    figure("recall@10 without other spellings", without, f"of {len(QUESTIONS)}")


async def test_both_databases_choose_the_same_candidates_of_many(
    markets: list[tuple[Database, Directory]], verticals: Verticals
) -> None:
    words, engine = CategoryWords(verticals), BuiltInSearch()
    for each in QUESTIONS:
        question, chosen = Question.read(each.typed, words), []
        for db, _ in markets:
            async with db.read() as tx:
                found = await engine.find(tx, question, ListFilter(scopes=[ALL_PROVIDERS_SCOPE]), at_most=2)
                # Ids differ between the databases, but not their order.
                chosen.append([candidate.name for candidate in ranked(question, found)])
        assert chosen[0] == chosen[1], each.typed


def _misses(answers: Mapping[str, list[str]]) -> dict[str, list[str]]:
    missed = defaultdict(list)
    for each in QUESTIONS:
        if each.wanted and each.recall(answers[each.typed]) < 1:
            missed[each.kind].append(f"{each.typed}: {sorted(each.wanted)} not {answers[each.typed]}")
    return missed
