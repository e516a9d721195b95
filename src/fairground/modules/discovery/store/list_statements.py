"""The statement of a page of a list, built once for each shape; requests differ in its parameters.

Building a statement of forty columns takes longer than sending it and reading its rows.
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

from fairground.contracts.discovery import ProviderSort
from fairground.modules.discovery.domain.cursors import Cursor
from fairground.modules.discovery.store.list_conditions import chord_squared, entries_by_location, entries_in_order
from fairground.modules.discovery.store.list_filter import FilterShape, ListFilter
from fairground.modules.discovery.store.listed_providers import CARD_COLUMNS
from fairground.modules.discovery.tables import ListedProviderRow, ListEntryRow, PriceBandRow
from fairground.platform.db.dialect.base import SQLOps

ASCENDING: Final = {ProviderSort.PRICE, ProviderSort.DISTANCE}
_COLUMN: Final[dict[ProviderSort, Any]] = {
    ProviderSort.MOST_BOOKED: ListEntryRow.book_count,
    ProviderSort.TOP_RATED: ListEntryRow.rating_avg,
    ProviderSort.NEWEST: ListEntryRow.created_at,
    ProviderSort.PRICE: ListEntryRow.price_sort_minor,
}
_LEAN_COLUMNS: Final = (
    ListedProviderRow.id,
    ListedProviderRow.business_name,
    ListedProviderRow.profile_picture_url,
    ListedProviderRow.created_at,
    ListedProviderRow.updated_at,
)
_FULL_COLUMNS: Final = (
    *CARD_COLUMNS,
    ListedProviderRow.created_at,
    ListedProviderRow.updated_at,
    ListedProviderRow.lat,
    ListedProviderRow.lng,
)


class ScanPlan(Enum):
    """How entries are found."""

    BY_LOCATION = "all entries at a location or in a circle, in any order"
    BY_SORT = "the first entries in the order of the page, from an index of each list"


@dataclass(frozen=True, kw_only=True)
class PageRequest:
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
    plan: ScanPlan
    sort: ProviderSort
    is_full: bool
    is_behind: bool
    """Whether the page begins behind a cursor."""


def page_statement(
    ops: SQLOps, wanted: ListFilter, page: PageRequest, plan: ScanPlan, *, is_full: bool, at_most: int, count_to: int
) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement of a page, and the values of its parameters.

    Its rows have the columns of a provider, or NULLs where the page is empty, `sort_key` and `counted`: the number of
    entries found, or for an unfiltered list the number of all.

    Args:
        at_most: How many entries are looked for; where a circle is wanted, all are.
        count_to: How many of those that were found are counted.
    """
    shape = _Shape(
        ops=ops, filter=wanted.shape, plan=plan, sort=page.sort, is_full=is_full, is_behind=page.after is not None
    )
    values: dict[str, Any] = {"limit": page.limit, "offset": page.offset, "at_most": at_most, "count_to": count_to}
    if page.after is not None:
        values |= {"after_key": page.after.key, "after_id": page.after.provider_id}
    return _page(shape), values | wanted.parameters


def count_statement(wanted: ListFilter, *, most: int) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement that counts matching entries up to `most`, and the values of its parameters.

    Ignores `near`; radius queries take their count from `page_statement`.
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
    found = _entries_by_location(shape) if shape.plan is ScanPlan.BY_LOCATION else _entries_in_order(shape)
    key, provider_id = found.c.sort_key, found.c.provider_id
    behind = select(found)
    if shape.is_behind and shape.plan is ScanPlan.BY_LOCATION:
        behind = behind.where(_is_behind(shape, key, provider_id))
    chosen = _cut(behind, shape, key, provider_id).offset(_number("offset")).limit(_number("limit")).subquery("chosen")
    counted = _count(found, shape.filter).subquery("counted")
    return (
        select(*(_FULL_COLUMNS if shape.is_full else _LEAN_COLUMNS), chosen.c.sort_key, counted.c.counted)
        .select_from(counted)
        .outerjoin(chosen, true())  # an empty page must still return `counted`
        .outerjoin(ListedProviderRow, ListedProviderRow.id == chosen.c.provider_id)
    )


def _count(found: CTE, wanted: FilterShape) -> Select[Any]:
    if wanted.asked:
        some = select(found.c.provider_id).limit(_number("count_to")).subquery("some")
        return select(func.count().label("counted")).select_from(some)
    total = func.coalesce(func.sum(PriceBandRow.providers), 0).label("counted")
    scopes = [bindparam(f"scope{number}", type_=ListEntryRow.scope.type) for number, _ in enumerate(wanted.scopes)]
    return select(total).where(PriceBandRow.scope.in_(scopes))


def _entries_by_location(shape: _Shape) -> CTE:
    """Return all the entries at a location or in a circle, in any order: ids and sort keys."""
    price = shape.ops.unindexed(ListEntryRow.price_sort_minor)
    columns = (ListEntryRow.provider_id, _sort_key(shape.sort))
    lists = [
        entries_by_location(number, shape.filter, price=price).with_only_columns(*columns)
        for number, _ in enumerate(shape.filter.scopes)
    ]
    found = lists[0] if len(lists) == 1 else select(union_all(*lists).subquery())
    return (found if "near" in shape.filter.asked else found.limit(_number("at_most"))).cte("found")


def _entries_in_order(shape: _Shape) -> CTE:
    """Return the first entries in the order of the page: ids and sort keys, which an index of each list has."""
    price: Any = ListEntryRow.price_sort_minor
    price = price if shape.sort is ProviderSort.PRICE else shape.ops.unindexed(price)
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
    # Each list gives as many entries as the page could need, in order; no provider is in two of them.
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
