"""Search in the database: the port of engines, the engine that is built in, and the statement of its candidates."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from fairground.modules.discovery.domain.availability_summary import ANY_START
from fairground.modules.discovery.domain.search.documents import Document
from fairground.modules.discovery.domain.search.question import Question, tiers
from fairground.modules.discovery.domain.search.ranking import Candidate
from fairground.modules.discovery.domain.search.spelling import beginning, near, shortened
from fairground.modules.discovery.store.availability_summaries import can_be_open, first_start, has_start_from
from fairground.modules.discovery.store.filters import (
    LIKE_ESCAPE,
    LOCATION,
    MAX_MINOR,
    MIN_MINOR,
    MIN_RATING,
    FilterShape,
    ListFilter,
    ScopeKind,
    is_at,
    is_in_circle,
)
from fairground.modules.discovery.tables import (
    ALL_PROVIDERS_SCOPE,
    SEARCHED_WORDS,
    ListEntryRow,
    SearchDocumentRow,
    SearchSpellingRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TextQuery, TextQueryType, among

_NEAR_MAX: Final = 2_000
_DOCUMENT_COLUMNS: Final = [getattr(SearchDocumentRow, each.name) for each in fields(Document)]
_CANDIDATE_COLUMNS: Final = [getattr(SearchDocumentRow, name) for name in Candidate._fields]
_COPIED: Final = ("vertical", "location", "price_from_minor", "book_count", "rating_avg", "open_days")
_NOT_IN_DOCUMENTS: Final = frozenset({"location", "near", "free_on"})


class SearchEngine(Protocol):
    """Finds candidates, which `domain/search/ranking.py` ranks. Every implementation passes the same contract tests.

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

    async def find(self, tx: ReadTx, question: Question, list_filter: ListFilter, *, at_most: int) -> list[Candidate]:
        """Return, in any order, the providers that have every word of the question and are in the filter.

        When more than `at_most` match, it returns more than that many of the best: first those that have all words in
        their names, then those that have them in name, place and categories, then the rest, each by bookings.
        """
        ...

    async def near_words(self, tx: ReadTx, words: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """Return for each word the words of names, services and places that it may be a misspelling of.

        Each comes with its similarity in percent (domain/search/spelling.py). A word that is one of them itself has
        none: it is no mistake.
        """
        ...


class BuiltInSearch:
    """The engine in the database itself: one table, one word index, and SQL that both dialects run alike (ADR-0011)."""

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
            if not _has_the_same_words(document, before):
                reworded.append(document)
            elif document != before:
                await self._update_copies(tx, document)
        if reworded:
            await self.drop(tx, [document.provider_id for document in reworded])
            # Not `asdict`, which copies every value deeply.
            await tx.insert_many(SearchDocumentRow, [dict(vars(document)) for document in reworded])
            await self._learn_spellings(tx, frozenset().union(*(document.spelled for document in reworded)))

    async def drop(self, tx: WriteTx, provider_ids: Collection[UUID]) -> None:
        if provider_ids:
            await tx.execute(delete(SearchDocumentRow).where(among(SearchDocumentRow.provider_id, provider_ids)))

    async def set_open_days(self, tx: WriteTx, provider_id: UUID, *, open_days: int) -> None:
        changes = {"provider": provider_id, "open_days": open_days}
        await tx.execute(_change_of_copies(tx.ops, ("open_days",)), changes)

    async def find(self, tx: ReadTx, question: Question, list_filter: ListFilter, *, at_most: int) -> list[Candidate]:
        await tx.prefer_indexes()
        statement, values = candidates_statement(
            tx.ops, question, list_filter, looked_at_max=self._looked_at_max, enough=at_most + 1
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
        rows = await tx.all(_documents_of(tx.ops), {"ids": list(provider_ids)})
        return {row.provider_id: Document(**row._asdict()) for row in rows}

    async def _update_copies(self, tx: WriteTx, document: Document) -> None:
        copied = {name: getattr(document, name) for name in _COPIED}
        await tx.execute(_change_of_copies(tx.ops, _COPIED), {"provider": document.provider_id, **copied})

    async def _learn_spellings(self, tx: WriteTx, words: Collection[str]) -> None:
        # By the spelling alone, which finds a few more: SQLite would look for each spelling with each word.
        stored = among(SearchSpellingRow.spelling, {beginning(word) for word in words})
        new = set(words) - set(await tx.scalars(select(SearchSpellingRow.word).where(stored)))
        # In one order, so that two imports that learn the same words wait for each other in one direction only.
        pairs = sorted((spelling, word) for word in new for spelling in shortened(word))
        await tx.insert_many(SearchSpellingRow, [{"spelling": spelling, "word": word} for spelling, word in pairs])


@lru_cache(maxsize=2)  # one for each dialect
def _documents_of(_ops: SQLOps) -> Prepared:
    return Prepared(select(*_DOCUMENT_COLUMNS).where(among(SearchDocumentRow.provider_id, bindparam("ids"))))


@lru_cache(maxsize=4)
def _change_of_copies(_ops: SQLOps, names: tuple[str, ...]) -> Prepared:
    own = SearchDocumentRow.provider_id == bindparam("provider")
    return Prepared(update(SearchDocumentRow).where(own).values({name: bindparam(name) for name in names}))


def _has_the_same_words(document: Document, other: Document | None) -> bool:
    """Return whether only what is copied differs, which no index contains."""
    return other is not None and document == replace(other, **{name: getattr(document, name) for name in _COPIED})


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What decides how a statement reads."""

    ops: SQLOps
    filter: FilterShape
    tiers: int
    looked_at_max: int
    enough: int


def candidates_statement(
    ops: SQLOps, question: Question, list_filter: ListFilter, *, looked_at_max: int, enough: int
) -> tuple[CompoundSelect[*tuple[Any, ...]], dict[str, Any]]:
    """Return the statement that finds the candidates of the narrowest tiers that make enough together, and its values.

    Its rows have the fields of a candidate.

    Args:
        looked_at_max: Documents of each tier that are compared.
    """
    conditions = tiers(question)
    shape = _Shape(ops=ops, filter=list_filter.shape, tiers=len(conditions), looked_at_max=looked_at_max, enough=enough)
    # A candidate of a narrow tier is one of the wider ones as well: those look for the others only.
    queries = [
        TextQuery(wider, unless=narrower) for wider, narrower in zip(conditions, (None, *conditions), strict=False)
    ]
    return _candidates(shape), list_filter.parameters | {f"query{tier}": each for tier, each in enumerate(queries)}


@lru_cache(maxsize=64)  # of 0.3 MB each, which take longer to build than to send
def _candidates(shape: _Shape) -> CompoundSelect[*tuple[Any, ...]]:
    found: list[CTE] = []
    for tier in range(shape.tiers):
        best = _best_of_tier(shape, tier)
        if found:
            counts = [select(func.count()).select_from(narrower).scalar_subquery() for narrower in found]
            best = best.where(sum(counts[1:], start=counts[0]) < shape.enough)
        found.append(best.cte(f"tier_{tier}"))
    return union_all(*(select(*(tier.c[name] for name in Candidate._fields)) for tier in found))


def _best_of_tier(shape: _Shape, tier: int) -> Select[Any]:
    query = bindparam(f"query{tier}", type_=TextQueryType())
    columns = [*_CANDIDATE_COLUMNS, SearchDocumentRow.open_days]
    looked_at = shape.ops.find_words(SEARCHED_WORDS, query, columns=columns, at_most=shape.looked_at_max)
    documents = looked_at.cte(f"looked_at_{tier}")
    best = select(documents).where(*_document_conditions(documents, shape.filter)).order_by(*_merits(documents))
    if not shape.filter.fields.isdisjoint(_NOT_IN_DOCUMENTS):
        # The best are compared first, until enough match. Without this limit the planner would compare all of them.
        ordered = best.limit(shape.looked_at_max).subquery()
        best = _narrow(ordered, shape.filter).order_by(*_merits(ordered))
    return best.limit(shape.enough)


def _merits(documents: FromClause) -> tuple[ColumnElement[Any], ...]:
    found = documents.c
    return found.book_count.desc(), found.rating_avg.desc(), found.provider_id


def _document_conditions(documents: FromClause, shape: FilterShape) -> list[ColumnElement[bool]]:
    """Return the conditions on columns that documents have copies of."""
    conditions = _figure_conditions(documents, shape)
    # Every provider with a document is in the list of all.
    if all(scope is not ScopeKind.ALL for scope in shape.scopes):
        shown = sorted(shape.bookable | shape.by_own_notice)
        conditions.append(or_(false(), *(_is_in(number, documents, shape) for number in shown)))
    if "free_on" in shape.fields:
        # Skips most providers that are closed that day; the summaries of the others decide.
        conditions.append(can_be_open(documents.c.open_days))
    return conditions


def _narrow(documents: FromClause, shape: FilterShape) -> Select[Any]:
    """Select the candidates that match the fields which documents lack, by their list entries and summaries."""
    candidates = select(documents)
    if conditions := _place_conditions(shape):
        is_own = (ListEntryRow.provider_id == documents.c.provider_id) & (ListEntryRow.scope == ALL_PROVIDERS_SCOPE)
        candidates = candidates.join(ListEntryRow, is_own).where(*conditions)
    return candidates.where(_is_free(documents, shape)) if "free_on" in shape.fields else candidates


def _is_in(number: int, documents: FromClause, shape: FilterShape) -> ColumnElement[bool]:
    is_in_vertical = _is_of_vertical(number, documents)
    if shape.scopes[number] is ScopeKind.VERTICAL:
        return is_in_vertical
    categories: ColumnElement[str] = " " + documents.c.categories + " "
    category = bindparam(f"category{number}", type_=Text())
    return is_in_vertical & categories.contains(category, escape=LIKE_ESCAPE)


def _is_of_vertical(number: int, documents: FromClause) -> ColumnElement[bool]:
    is_of_vertical: ColumnElement[bool] = documents.c.vertical == bindparam(f"vertical{number}", type_=Text())
    return is_of_vertical


def _figure_conditions(documents: FromClause, shape: FilterShape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "min_minor" in shape.fields:
        conditions.append(documents.c.price_from_minor >= MIN_MINOR)
    if "max_minor" in shape.fields:
        conditions.append(documents.c.price_from_minor <= MAX_MINOR)
    if "min_rating" in shape.fields:
        conditions.append(documents.c.rating_avg >= MIN_RATING)
    return conditions


def _place_conditions(shape: FilterShape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "location" in shape.fields:
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION).is_(True))
    if "near" in shape.fields:
        conditions.append(is_in_circle())
    return conditions


def _is_free(documents: FromClause, shape: FilterShape) -> ColumnElement[bool]:
    if not shape.is_by_the_clock:
        return has_start_from(literal(ANY_START), provider_id=documents.c.provider_id)
    # One sub-query with a time for each vertical: PostgreSQL would run all of several every time.
    shown = sorted(shape.bookable | shape.by_own_notice)
    starts = [(_is_of_vertical(number, documents), first_start(number)) for number in shown]
    return has_start_from(case(*starts), provider_id=documents.c.provider_id) if starts else false()
