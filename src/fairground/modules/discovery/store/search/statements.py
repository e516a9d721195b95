"""The statement that finds candidates, built once for each shape: to put it together takes longer than to send it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, CompoundSelect, FromClause, Select, bindparam, func, select, union_all

from fairground.modules.discovery.domain.search.question import Question, tiers
from fairground.modules.discovery.domain.search.ranking import Candidate
from fairground.modules.discovery.store.list_filter import FilterShape, ListFilter
from fairground.modules.discovery.store.search.narrowing import asks_for_more, fits, narrowed
from fairground.modules.discovery.tables import SEARCHED_WORDS, SearchDocumentRow
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.types import TextQuery, TextQueryType

_CANDIDATE_COLUMNS: Final = [getattr(SearchDocumentRow, name) for name in Candidate._fields]


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What decides how a statement reads."""

    ops: SQLOps
    filter: FilterShape
    tiers: int
    looked_at_max: int
    enough: int


def candidates_statement(
    ops: SQLOps, question: Question, wanted: ListFilter, *, looked_at_max: int, enough: int
) -> tuple[CompoundSelect[*tuple[Any, ...]], dict[str, Any]]:
    """Return the statement that finds the candidates of the narrowest tiers that make enough together, and its values.

    Its rows have the fields of a candidate.

    Args:
        looked_at_max: Documents of each tier that are compared.
    """
    conditions = tiers(question)
    shape = _Shape(ops=ops, filter=wanted.shape, tiers=len(conditions), looked_at_max=looked_at_max, enough=enough)
    # A candidate of a narrow tier is one of the wider ones as well: those look for the others only.
    queries = [
        TextQuery(wider, unless=narrower) for wider, narrower in zip(conditions, (None, *conditions), strict=False)
    ]
    return _candidates(shape), wanted.parameters | {f"query{tier}": each for tier, each in enumerate(queries)}


@lru_cache(maxsize=64)  # of 0.3 MB each
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
    best = select(documents).where(*fits(documents, shape.filter)).order_by(*_merits(documents))
    if asks_for_more(shape.filter):
        # The best are asked first, until enough of them fit. The limit is one, or the planner would ask them all.
        ordered = best.limit(shape.looked_at_max).subquery()
        best = narrowed(ordered, shape.filter).order_by(*_merits(ordered))
    return best.limit(shape.enough)


def _merits(documents: FromClause) -> tuple[ColumnElement[Any], ...]:
    found = documents.c
    return found.book_count.desc(), found.rating_avg.desc(), found.provider_id
