"""Search by words."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from fairground.contracts.discovery import (
    SEARCH_MAX_RESULTS,
    Correction,
    ProviderQuery,
    SearchFacets,
    SearchQuery,
    SearchResult,
)
from fairground.contracts.providers import ProviderCard
from fairground.modules.discovery.domain.cursors import read_rank, write_rank
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.question import CategoryWords, Question
from fairground.modules.discovery.domain.search.ranking import (
    Candidate,
    corrections,
    count_facets,
    doubtful,
    rank,
    ranked,
)
from fairground.modules.discovery.service.lists import Filters
from fairground.modules.discovery.store.filters import ListFilter
from fairground.modules.discovery.store.listed_providers import list_cards
from fairground.modules.discovery.store.search import SearchEngine
from fairground.platform.db.database import Database, ReadTx

_FEW: Final = 10  # with fewer results, other spellings are searched for as well
_NO_FACETS: Final = SearchFacets(verticals=[], categories=[], places=[], ratings=[], prices=[])
_NO_RESULTS: Final = SearchResult(data=[], total=0, total_is_lower_bound=False, facets=_NO_FACETS, corrections=[])


class Search:
    def __init__(
        self,
        *,
        db: Database,
        engine: SearchEngine,
        filters: Filters,
        prices: PriceScale,
        category_words: CategoryWords,
    ) -> None:
        self._db = db
        self._engine = engine
        self._filters = filters
        self._prices = prices
        self._category_words = category_words

    async def search(self, *, query: SearchQuery) -> SearchResult:
        after = None if query.cursor is None else read_rank(query.cursor)
        list_filter = self._filters.read(ProviderQuery(**query.model_dump(exclude={"q", "cursor"})))
        question = Question.read(query.q, self._category_words)
        if not list_filter.scopes or not question.words:
            return _NO_RESULTS
        async with self._db.read() as tx:
            found = await self._engine.find(tx, question, list_filter, at_most=SEARCH_MAX_RESULTS)
            is_understood = bool(found)
            if len(found) < _FEW:
                question, found = await self._find_misspelled(tx, question, list_filter, found)
            results = ranked(question, found)[:SEARCH_MAX_RESULTS]
            start = (query.page - 1) * query.limit
            if after is not None:
                start = bisect_right(results, after, key=lambda candidate: rank(question, candidate))
            shown = results[start : start + query.limit]
            cards = await list_cards(tx, [candidate.provider_id for candidate in shown])
        return SearchResult(
            data=cards,
            total=len(results),
            total_is_lower_bound=len(found) > len(results),
            facets=count_facets(results, prices=self._prices, vertical=query.vertical),
            corrections=[] if is_understood else _corrections(question, results, cards),
            next_cursor=write_rank(rank(question, shown[-1])) if start + query.limit < len(results) else None,
        )

    async def _find_misspelled(
        self, tx: ReadTx, question: Question, list_filter: ListFilter, found: list[Candidate]
    ) -> tuple[Question, list[Candidate]]:
        """Return the question with likely spellings of rare words, and what it finds with them."""
        words = doubtful(question, found)
        corrected = question.corrected(await self._engine.near_words(tx, words) if words else {}, self._category_words)
        if corrected == question:
            return question, found
        return corrected, await self._engine.find(tx, corrected, list_filter, at_most=SEARCH_MAX_RESULTS)


def _corrections(question: Question, results: Sequence[Candidate], cards: Sequence[ProviderCard]) -> list[Correction]:
    if not results:
        return []
    shown = [text for card in cards for text in (card.business_name, card.location)]
    return corrections(question, results[0], shown=shown)
