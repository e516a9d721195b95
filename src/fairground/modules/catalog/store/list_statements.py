"""The statement of a page of a list, built once for each shape: what differs between requests are its parameters.

To put a statement of forty columns together takes longer than to send it and to read the answer.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BindParameter,
    Integer,
    Select,
    Uuid,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from fairground.contracts.catalog import ProviderSort
from fairground.modules.catalog.domain.cursors import Cursor
from fairground.modules.catalog.store.cards import CARD_COLUMNS
from fairground.modules.catalog.store.list_conditions import chord_squared, entries_in_order, entries_there
from fairground.modules.catalog.store.list_filter import FilterShape, ListFilter
from fairground.modules.catalog.tables import ListEntryRow, PriceBandRow, ProviderCategoryRow, ProviderRow
from fairground.platform.db.dialect.base import SQLOps

ASCENDING: Final = {ProviderSort.PRICE, ProviderSort.DISTANCE}
_COLUMN: Final[dict[ProviderSort, Any]] = {
    ProviderSort.MOST_BOOKED: ListEntryRow.book_count,
    ProviderSort.TOP_RATED: ListEntryRow.rating_avg,
    ProviderSort.NEWEST: ListEntryRow.created_at,
    ProviderSort.PRICE: ListEntryRow.price_sort_minor,
}
_UPDATED_AT: Final = func.coalesce(ProviderRow.updated_at, ProviderRow.created_at).label("updated_at")
_LEAN_COLUMNS: Final = (
    ProviderRow.id,
    ProviderRow.business_name,
    ProviderRow.profile_picture_url,
    ProviderRow.created_at,
    _UPDATED_AT,
)
_FULL_COLUMNS: Final = (*CARD_COLUMNS, ProviderRow.created_at, _UPDATED_AT, ProviderRow.lat, ProviderRow.lng)
_OF_ITS_CATEGORIES: Final = (ProviderCategoryRow.category, ProviderCategoryRow.position)


class Way(Enum):
    """How entries are found."""

    THERE = "all that are at a location or in a circle, in any order"
    IN_ORDER = "the first in the order of the page, which an index of each list has"


@dataclass(frozen=True, kw_only=True)
class PageOf:
    """Which part of a list."""

    sort: ProviderSort
    limit: int
    offset: int
    after: Cursor | None = None

    @property
    def end(self) -> int:
        return self.offset + self.limit


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What decides how a statement reads."""

    ops: SQLOps
    filter: FilterShape
    way: Way
    sort: ProviderSort
    is_full: bool
    is_behind: bool
    """Whether the page begins behind a cursor."""


def page_statement(
    ops: SQLOps, wanted: ListFilter, page: PageOf, way: Way, *, is_full: bool, at_most: int, count_to: int
) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement of a page, and the values of its parameters.

    Its rows have the columns of a provider, or nothing where the page is empty, `sort_key` and `counted`: how many were
    found, or of a list that nothing narrows how many there are. A full page has a row for each category of a provider.

    Args:
        at_most: How many entries are looked for; where a circle is wanted, all are.
        count_to: How many of those that were found are counted.
    """
    shape = _Shape(
        ops=ops, filter=wanted.shape, way=way, sort=page.sort, is_full=is_full, is_behind=page.after is not None
    )
    values: dict[str, Any] = {"limit": page.limit, "offset": page.offset, "at_most": at_most, "count_to": count_to}
    if page.after is not None:
        values |= {"after_key": page.after.key, "after_id": page.after.provider_id}
    return _page(shape), values | wanted.parameters


def count_statement(wanted: ListFilter, *, most: int) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement that counts who is listed up to `most`, and the values of its parameters.

    A circle is passed over: whoever wants one is counted by the page.
    """
    return _counting(wanted.shape), wanted.parameters | {"most": most}


@lru_cache(maxsize=64)
def _counting(wanted: FilterShape) -> Select[Any]:
    price = ListEntryRow.price_sort_minor
    lists = [entries_in_order(number, wanted, price=price) for number, _ in enumerate(wanted.scopes)]
    heads = [entries.with_only_columns(literal(1)).limit(_number("most")).subquery() for entries in lists]
    counted = union_all(*(select(head) for head in heads)).subquery()
    return select(func.count()).select_from(select(counted).limit(_number("most")).subquery())


@lru_cache(maxsize=128)  # of 0.1 MB each
def _page(shape: _Shape) -> Select[Any]:
    found = _entries_there(shape) if shape.way is Way.THERE else _entries_in_order(shape)
    key, provider_id = found.c.sort_key, found.c.provider_id
    behind = select(found)
    if shape.is_behind and shape.way is Way.THERE:
        behind = behind.where(_is_behind(shape, key, provider_id))
    chosen = _cut(behind, shape, key, provider_id).offset(_number("offset")).limit(_number("limit")).subquery("chosen")
    counted = _count(found, shape.filter).subquery("counted")
    statement = (
        select(*(_FULL_COLUMNS if shape.is_full else _LEAN_COLUMNS), chosen.c.sort_key, counted.c.counted)
        .select_from(counted)
        .outerjoin(chosen, true())  # or nothing would be told of a page that is empty
        .outerjoin(ProviderRow, ProviderRow.id == chosen.c.provider_id)
    )
    if not shape.is_full:
        return statement
    is_its = ProviderCategoryRow.provider_id == chosen.c.provider_id
    return statement.add_columns(*_OF_ITS_CATEGORIES).outerjoin(ProviderCategoryRow, is_its)


def _count(found: CTE, wanted: FilterShape) -> Select[Any]:
    if wanted.asked:
        some = select(found.c.provider_id).limit(_number("count_to")).subquery("some")
        return select(func.count().label("counted")).select_from(some)
    everybody = func.coalesce(func.sum(PriceBandRow.providers), 0).label("counted")
    scopes = [bindparam(f"scope{number}", type_=ListEntryRow.scope.type) for number, _ in enumerate(wanted.scopes)]
    return select(everybody).where(PriceBandRow.scope.in_(scopes))


def _entries_there(shape: _Shape) -> CTE:
    """Return all the entries at a location or in a circle, in any order: ids and sort keys."""
    price = shape.ops.passed_over(ListEntryRow.price_sort_minor)
    columns = (ListEntryRow.provider_id, _sort_key(shape.sort))
    lists = [
        entries_there(number, shape.filter, price=price).with_only_columns(*columns)
        for number, _ in enumerate(shape.filter.scopes)
    ]
    found = lists[0] if len(lists) == 1 else select(union_all(*lists).subquery())
    return (found if "near" in shape.filter.asked else found.limit(_number("at_most"))).cte("found")


def _entries_in_order(shape: _Shape) -> CTE:
    """Return the first entries in the order of the page: ids and sort keys, which an index of each list has."""
    price: Any = ListEntryRow.price_sort_minor
    price = price if shape.sort is ProviderSort.PRICE else shape.ops.passed_over(price)
    key = _sort_key(shape.sort)
    columns = (ListEntryRow.provider_id, key)
    lists = [
        entries_in_order(number, shape.filter, price=price).with_only_columns(*columns)
        for number, _ in enumerate(shape.filter.scopes)
    ]
    if shape.is_behind:
        behind = _is_behind(shape, key.element, ListEntryRow.provider_id)
        lists = [entries.where(behind) for entries in lists]
    heads = [_cut(entries, shape, key, ListEntryRow.provider_id).limit(_number("at_most")) for entries in lists]
    if len(heads) == 1:
        return heads[0].cte("found")
    # Each list gives as many as the page could need of it, in order; they share nobody.
    merged = union_all(*(select(head.subquery()) for head in heads)).subquery()
    first = _cut(select(merged), shape, merged.c.sort_key, merged.c.provider_id)
    return first.limit(_number("at_most")).cte("found")


def _cut(entries: Select[Any], shape: _Shape, key: ColumnElement[Any], provider_id: Any) -> Select[Any]:
    if shape.sort in ASCENDING:
        return entries.order_by(key.asc(), provider_id.asc())
    return entries.order_by(key.desc(), provider_id.desc())


def _sort_key(sort: ProviderSort) -> Any:
    if sort is ProviderSort.DISTANCE:
        return chord_squared().label("sort_key")
    return _COLUMN[sort].label("sort_key")


def _is_behind(shape: _Shape, key: Any, provider_id: Any) -> ColumnElement[bool]:
    # A comparison of rows, which both dialects read from an index as one range.
    last = tuple_(bindparam("after_key", type_=key.type), bindparam("after_id", type_=Uuid()))
    entry = tuple_(key, provider_id)
    return entry > last if shape.sort in ASCENDING else entry < last


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer())
