"""The engine in the database itself: one table, one word index, and SQL that both dialects run alike (ADR-0011)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update

from fairground.modules.discovery.domain.search.documents import Document
from fairground.modules.discovery.domain.search.question import Question
from fairground.modules.discovery.domain.search.ranking import Candidate
from fairground.modules.discovery.domain.search.spelling import beginning, near, shortened
from fairground.modules.discovery.store.list_filter import ListFilter
from fairground.modules.discovery.store.search.statements import candidates_statement
from fairground.modules.discovery.tables import SearchDocumentRow, SearchSpellingRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_NEAR_MAX: Final = 2_000

_DOCUMENT_COLUMNS: Final = [getattr(SearchDocumentRow, each.name) for each in fields(Document)]
_COPIED: Final = ("vertical", "location", "price_from_minor", "book_count", "rating_avg", "open_days")


class BuiltInSearch:
    def __init__(self, *, looked_at_max: int = 5_000) -> None:
        """Make the engine.

        Args:
            looked_at_max: Documents of each tier that are compared; it bounds the cost of frequent words.
        """
        self._looked_at_max = looked_at_max

    async def put(self, tx: WriteTx, documents: Sequence[Document]) -> None:
        # Unchanged documents are not written: indexing one costs a hundred times as much as reading it.
        kept = await self._list_documents(tx, [document.provider_id for document in documents])
        reworded = []
        for document in documents:
            before = kept.get(document.provider_id)
            if not _says_the_same(document, before):
                reworded.append(document)
            elif document != before:
                await self._update_copies(tx, document)
        if reworded:
            await self.drop(tx, [document.provider_id for document in reworded])
            # Not `asdict`, which copies every value deeply.
            await tx.insert_many(SearchDocumentRow, [dict(vars(document)) for document in reworded])
            await self._learn_spellings(tx, frozenset().union(*(document.spelled for document in reworded)))

    async def drop(self, tx: WriteTx, provider_ids: Collection[UUID]) -> None:
        await tx.execute(delete(SearchDocumentRow).where(among(SearchDocumentRow.provider_id, provider_ids)))

    async def set_open_days(self, tx: WriteTx, provider_id: UUID, *, open_days: int) -> None:
        own = SearchDocumentRow.provider_id == provider_id
        await tx.execute(update(SearchDocumentRow).where(own).values(open_days=open_days))

    async def find(self, tx: ReadTx, question: Question, wanted: ListFilter, *, at_most: int) -> list[Candidate]:
        await tx.prefer_indexes()
        statement, values = candidates_statement(
            tx.ops, question, wanted, looked_at_max=self._looked_at_max, enough=at_most + 1
        )
        rows = await tx.all(statement, values)
        return [Candidate._make(row) for row in rows]

    async def near_words(self, tx: ReadTx, words: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        spellings = frozenset().union(*map(shortened, words))
        statement = select(SearchSpellingRow.word).distinct()
        statement = statement.where(among(SearchSpellingRow.spelling, spellings))
        known = await tx.scalars(statement.order_by(SearchSpellingRow.word).limit(_NEAR_MAX))
        return {word: near(word, known) for word in words}

    async def _list_documents(self, tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, Document]:
        statement = select(*_DOCUMENT_COLUMNS).where(among(SearchDocumentRow.provider_id, provider_ids))
        return {row.provider_id: Document(**row._asdict()) for row in await tx.all(statement)}

    async def _update_copies(self, tx: WriteTx, document: Document) -> None:
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


def _says_the_same(document: Document, other: Document | None) -> bool:
    """Return whether only what is copied differs, which no index contains."""
    return other is not None and document == replace(other, **{name: getattr(document, name) for name in _COPIED})
