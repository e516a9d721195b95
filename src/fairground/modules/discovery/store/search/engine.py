"""The port of search engines. Every implementation passes the same contract tests."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from fairground.modules.discovery.domain.search.documents import Document
from fairground.modules.discovery.domain.search.question import Question
from fairground.modules.discovery.domain.search.ranking import Candidate
from fairground.modules.discovery.store.list_filter import ListFilter
from fairground.platform.db.database import ReadTx, WriteTx


class SearchEngine(Protocol):
    """Finds candidates; `domain/search/ranking.py` ranks those of every engine.

    Documents change in the transaction of the list entries. An engine outside the database enqueues a job there.
    """

    async def put(self, tx: WriteTx, documents: Sequence[Document]) -> None:
        """Replace the documents of these providers."""
        ...

    async def drop(self, tx: WriteTx, provider_ids: Collection[UUID]) -> None:
        """Remove the documents of providers; unknown ones are ignored."""
        ...

    async def set_open_days(self, tx: WriteTx, provider_id: UUID, *, open_days: int) -> None:
        """Change the open days of a provider's document, if it has one."""
        ...

    async def find(self, tx: ReadTx, question: Question, wanted: ListFilter, *, at_most: int) -> list[Candidate]:
        """Return, in any order, the providers that have every word of the question and are in the filter.

        When there are more than `at_most`, then more than that many of the best are returned: first those that have
        all words in their names, then those that have them in name, place and categories, then the rest, and in each
        of the three those who were booked most.
        """
        ...

    async def near_words(self, tx: ReadTx, words: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """Return for each word the words of names, services and places that it may be a misspelling of.

        Each comes with its similarity in percent (domain/search/spelling.py). A word that is one of them itself has
        none: it is no mistake.
        """
        ...
