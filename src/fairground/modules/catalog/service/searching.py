"""Search by words."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Final
from uuid import UUID

from fairground.contracts.catalog import (
    SEARCH_MAX_RESULTS,
    Correction,
    IndexStep,
    ProviderCard,
    ProviderQuery,
    SearchFacets,
    SearchQuery,
    SearchResult,
)
from fairground.modules.catalog.domain.cursors import read_rank, write_rank
from fairground.modules.catalog.domain.search.categories import CategoryWords
from fairground.modules.catalog.domain.search.corrections import corrections
from fairground.modules.catalog.domain.search.facets import count_facets
from fairground.modules.catalog.domain.search.question import Question
from fairground.modules.catalog.domain.search.ranking import Candidate, doubtful, rank, ranked
from fairground.modules.catalog.service.lists import Lists
from fairground.modules.catalog.store import list_entries, refolding
from fairground.modules.catalog.store.cards import list_cards_of
from fairground.modules.catalog.store.list_filter import ListFilter
from fairground.modules.catalog.store.locations import learn_locations
from fairground.modules.catalog.store.search import indexing
from fairground.platform.db.database import ReadTx

_FEW: Final = 10  # fewer results than this leave room for those that other spellings find
_INDEXED_AT_ONCE: Final = 500  # in one transaction, so that nobody waits long for the write lock
_NOTHING: Final = SearchFacets(verticals=[], categories=[], places=[], ratings=[], prices=[])
_NOBODY: Final = SearchResult(data=[], total=0, total_is_lower_bound=False, facets=_NOTHING, corrections=[])


class Searching(Lists):
    @cached_property
    def _category_words(self) -> CategoryWords:
        return CategoryWords(self._verticals)

    async def search(self, *, query: SearchQuery) -> SearchResult:
        after = None if query.cursor is None else read_rank(query.cursor)
        wanted = self._filter(ProviderQuery(**query.model_dump(exclude={"q", "cursor"})))
        question = Question.read(query.q, self._category_words)
        if not wanted.scopes or not question.words:
            return _NOBODY
        async with self._db.read() as tx:
            found = await self._engine.find(tx, question, wanted, at_most=SEARCH_MAX_RESULTS)
            is_understood = bool(found)
            if len(found) < _FEW:
                question, found = await self._find_misspelled(tx, question, wanted, found)
            everybody = ranked(question, found)[:SEARCH_MAX_RESULTS]
            start = (query.page - 1) * query.limit
            if after is not None:
                start = bisect_right(everybody, after, key=lambda candidate: rank(question, candidate))
            shown = everybody[start : start + query.limit]
            cards = await list_cards_of(tx, {one.provider_id: one.categories.split() for one in shown})
        return SearchResult(
            data=cards,
            total=len(everybody),
            total_is_lower_bound=len(found) > len(everybody),
            facets=count_facets(everybody, prices=self._prices, vertical=query.vertical),
            corrections=[] if is_understood else _corrections(question, everybody, cards),
            next_cursor=write_rank(rank(question, shown[-1])) if start + query.limit < len(everybody) else None,
        )

    async def index_providers(self, *, after: UUID | None) -> IndexStep | None:
        async with self._db.read() as tx:
            provider_ids = await indexing.list_ids_after(tx, after, limit=_INDEXED_AT_ONCE)
            new_locations = await refolding.list_new_locations(tx, provider_ids)
        if not provider_ids:
            return None
        if new_locations:
            # In a transaction of its own: an import that learns the same ones must not wait for our locks.
            async with self._db.write() as tx:
                await learn_locations(tx, new_locations)
        async with self._db.write() as tx:
            moved = await refolding.refold(tx, provider_ids)
            if moved:
                await list_entries.list_anew(tx, moved, scale_minor=self._prices.fine_minor)
            await indexing.index_anew(tx, self._engine, provider_ids)
        return IndexStep(count=len(provider_ids), last_id=provider_ids[-1])

    async def _find_misspelled(
        self, tx: ReadTx, question: Question, wanted: ListFilter, found: list[Candidate]
    ) -> tuple[Question, list[Candidate]]:
        """Return the question with what may have been meant, and whom that finds besides."""
        words = doubtful(question, found)
        corrected = question.corrected(await self._engine.near_words(tx, words) if words else {}, self._category_words)
        if corrected == question:
            return question, found
        return corrected, await self._engine.find(tx, corrected, wanted, at_most=SEARCH_MAX_RESULTS)


def _corrections(question: Question, everybody: Sequence[Candidate], cards: Sequence[ProviderCard]) -> list[Correction]:
    if not everybody:
        return []
    shown = [text for card in cards for text in (card.business_name, card.location)]
    return corrections(question, everybody[0], shown=shown)
