"""The engine in the database itself: one table, one word index, and SQL that both dialects run alike (ADR-0011)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, CompoundSelect, FromClause, Select, delete, func, select, union_all, update

from fairground.modules.catalog.domain.search.documents import Document
from fairground.modules.catalog.domain.search.matching import Condition, tiers
from fairground.modules.catalog.domain.search.question import Question
from fairground.modules.catalog.domain.search.ranking import Candidate
from fairground.modules.catalog.domain.search.spelling import beginning, near, shortened
from fairground.modules.catalog.store.list_filter import ListFilter
from fairground.modules.catalog.store.search.narrowing import asks_for_more, fits, narrowed
from fairground.modules.catalog.tables import (
    SEARCHED_WORDS,
    SearchDocumentRow,
    SearchSpellingRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_NEAR_MAX: Final = 2_000

_DOCUMENT_COLUMNS: Final = [getattr(SearchDocumentRow, each.name) for each in fields(Document)]
_CANDIDATE_COLUMNS: Final = [getattr(SearchDocumentRow, name) for name in Candidate._fields]
_COPIED: Final = ("vertical", "location", "price_from_minor", "book_count", "rating_avg", "open_days")


class BuiltInSearch:
    def __init__(self, *, looked_at_max: int = 5_000) -> None:
        """Make the engine.

        Args:
            looked_at_max: Documents of each tier that are compared. A word that more have says little of anybody, and
                must not cost more.
        """
        self._looked_at_max = looked_at_max

    async def put(self, tx: WriteTx, documents: Sequence[Document]) -> None:
        # What has not changed is not written: to index a document costs a hundred times what reading it does.
        kept = await self._list_documents(tx, [document.provider_id for document in documents])
        reworded = []
        for document in documents:
            before = kept.get(document.provider_id)
            if not _says_the_same(document, before):
                reworded.append(document)
            elif document != before:
                await self._copy_anew(tx, document)
        if reworded:
            await self.drop(tx, [document.provider_id for document in reworded])
            # Not `asdict`, which copies every value deeply.
            await tx.insert_many(SearchDocumentRow, [dict(vars(document)) for document in reworded])
            await self._learn_spellings(tx, frozenset().union(*(document.spelled for document in reworded)))

    async def drop(self, tx: WriteTx, provider_ids: Collection[UUID]) -> None:
        await tx.execute(delete(SearchDocumentRow).where(among(SearchDocumentRow.provider_id, provider_ids)))

    async def find(self, tx: ReadTx, question: Question, wanted: ListFilter, *, at_most: int) -> list[Candidate]:
        await tx.prefer_indexes()
        rows = await tx.all(self._candidates(tx, tiers(question), wanted, enough=at_most + 1))
        # A candidate of a narrow tier is one of the wider ones as well.
        return list({row[0]: Candidate._make(row) for row in rows}.values())

    async def near_words(self, tx: ReadTx, words: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        spellings = frozenset().union(*map(shortened, words))
        statement = select(SearchSpellingRow.word).distinct()
        statement = statement.where(among(SearchSpellingRow.spelling, spellings))
        known = await tx.scalars(statement.order_by(SearchSpellingRow.word).limit(_NEAR_MAX))
        return {word: near(word, known) for word in words}

    def _candidates(
        self, tx: ReadTx, conditions: Sequence[Condition], wanted: ListFilter, *, enough: int
    ) -> CompoundSelect[*tuple[Any, ...]]:
        """Select the candidates of the narrowest tiers that make enough together, some of them more than once."""
        looked_at: list[CTE] = []
        found: list[CTE] = []
        for place, condition in enumerate(conditions):
            columns, at_most = [*_CANDIDATE_COLUMNS, SearchDocumentRow.open_days], self._looked_at_max
            matching = tx.ops.find_words(SEARCHED_WORDS, condition, columns=columns, at_most=at_most)
            tier = matching.cte(f"looked_at_{place}")
            best = self._best_of_tier(tier, wanted, asked=looked_at, limit=enough)
            for narrower in found:
                best = best.where(select(func.count()).select_from(narrower).scalar_subquery() < enough)
            looked_at.append(tier)
            found.append(best.cte(f"tier_{place}"))
        return union_all(*(select(*(tier.c[name] for name in Candidate._fields)) for tier in found))

    def _best_of_tier(self, looked_at: CTE, wanted: ListFilter, *, asked: Sequence[CTE], limit: int) -> Select[Any]:
        best = select(looked_at).where(*fits(looked_at, wanted)).order_by(*_merits(looked_at))
        if asks_for_more(wanted):
            # A wider tier is looked at when all of the narrower ones were asked, so they are not asked again.
            best = best.where(*(looked_at.c.provider_id.not_in(select(tier.c.provider_id)) for tier in asked))
            # The best are asked first, until enough of them fit. The limit is one, or the planner would ask them all.
            ordered = best.limit(self._looked_at_max).subquery()
            best = narrowed(ordered, wanted).order_by(*_merits(ordered))
        return best.limit(limit)

    async def _list_documents(self, tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, Document]:
        statement = select(*_DOCUMENT_COLUMNS).where(among(SearchDocumentRow.provider_id, provider_ids))
        return {row.provider_id: Document(**row._asdict()) for row in await tx.all(statement)}

    async def _copy_anew(self, tx: WriteTx, document: Document) -> None:
        own = SearchDocumentRow.provider_id == document.provider_id
        copied = {name: getattr(document, name) for name in _COPIED}
        await tx.execute(update(SearchDocumentRow).where(own).values(**copied))

    async def _learn_spellings(self, tx: WriteTx, words: Collection[str]) -> None:
        # By the spelling alone, which finds a few more: SQLite would look for each spelling with each word.
        stored = among(SearchSpellingRow.spelling, {beginning(word) for word in words})
        new = set(words) - set(await tx.scalars(select(SearchSpellingRow.word).where(stored)))
        # In one order, so that two imports that learn the same words wait for each other in one direction only.
        pairs = sorted((spelling, word) for word in new for spelling in shortened(word))
        await tx.insert_many(SearchSpellingRow, [{"spelling": spelling, "word": word} for spelling, word in pairs])


def _merits(documents: FromClause) -> tuple[ColumnElement[Any], ...]:
    found = documents.c
    return found.book_count.desc(), found.rating_avg.desc(), found.provider_id


def _says_the_same(document: Document, other: Document | None) -> bool:
    """Return whether only what is copied differs, which no index has to hear of."""
    return other is not None and document == replace(other, **{name: getattr(document, name) for name in _COPIED})
