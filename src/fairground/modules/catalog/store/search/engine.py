"""What a search engine must do for the catalog. Another one than the built-in must pass the same contract tests."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from fairground.modules.catalog.domain.search.documents import Document
from fairground.modules.catalog.domain.search.question import Question
from fairground.modules.catalog.domain.search.ranking import Candidate
from fairground.modules.catalog.store.list_filter import ListFilter
from fairground.platform.db.database import ReadTx, WriteTx


class SearchEngine(Protocol):
    """Finds candidates; which of them come first is decided by `domain/search/ranking.py`, for every engine alike.

    It is told of a change in the change's own transaction. An engine outside the database writes a job there, and is
    told by that.
    """

    async def put(self, tx: WriteTx, documents: Sequence[Document]) -> None:
        """Keep these documents in the place of the ones that their providers had."""
        ...

    async def drop(self, tx: WriteTx, provider_ids: Collection[UUID]) -> None:
        """Forget providers; those that are not known are passed over."""
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
