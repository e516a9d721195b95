"""A page of a list: its statement, which is built once for each shape of request, and what its rows say.

Building a statement of forty columns takes longer than sending it and reading its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar

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

from fairground.contracts.discovery import LeanList, LeanProvider, ListedProvider, ProviderList, ProviderSort
from fairground.kernel.distances import distance_km
from fairground.modules.discovery.domain.cursors import Cursor, PageRequest
from fairground.modules.discovery.domain.places import Circle
from fairground.modules.discovery.store.filters import (
    FilterShape,
    ListFilter,
    chord_squared,
    select_entries_by_location,
    select_entries_in_order,
)
from fairground.modules.discovery.store.listed_providers import CARD_COLUMNS, card_fields
from fairground.modules.discovery.tables import ListedProviderRow, ListEntryRow, PriceBandRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.dialect.base import SQLOps, Statement
from fairground.platform.db.dialect.prepared import Prepared

_COUNTED_MAX: Final = 1_000  # matching entries of a filtered list
_READ_AT_MOST: Final = 10_000  # entries of a location in one list; of more it is quicker to find the first in order
_ASCENDING: Final = {ProviderSort.PRICE, ProviderSort.DISTANCE}
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
_List = TypeVar("_List", bound=ProviderList | LeanList)


class ScanPlan(Enum):
    """How entries are found."""

    BY_LOCATION = "all entries at a location or in a circle, in any order"
    BY_SORT = "the first entries in the order of the page, from an index of each list"


async def read_page(tx: ReadTx, list_filter: ListFilter, page: PageRequest, *, kind: type[_List]) -> _List:
    """Return a page, full or lean, without its price distribution."""
    is_narrowed = list_filter.is_narrowed
    count_to = _COUNTED_MAX + 1 if is_narrowed else 0
    rows, counted = await _find(tx, list_filter, page, is_full=kind is ProviderList, count_to=count_to)
    total = await count_up_to(tx, list_filter, most=count_to) if counted is None else counted
    providers: list[Any] = _full(rows, list_filter.near) if kind is ProviderList else _lean(rows)
    end = Cursor(sort=page.sort, key=rows[-1].sort_key, provider_id=rows[-1].id) if len(rows) == page.limit else None
    return kind(
        data=providers,
        total=min(total, _COUNTED_MAX) if is_narrowed else total,
        total_is_lower_bound=is_narrowed and total > _COUNTED_MAX,
        price_distribution=[],
        next_cursor=end.write() if end else None,
    )


def _full(rows: Sequence[Any], near: Circle | None) -> list[ListedProvider]:
    return [
        ListedProvider(
            **card_fields(row),
            distance_km=None if near is None else round(distance_km(near.lat, near.lng, row.lat, row.lng), 3),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def _lean(rows: Sequence[Any]) -> list[LeanProvider]:
    return [LeanProvider(**{name: getattr(row, name) for name in LeanProvider.model_fields}) for row in rows]


async def _find(
    tx: ReadTx, list_filter: ListFilter, page: PageRequest, *, is_full: bool, count_to: int
) -> tuple[Sequence[Any], int | None]:
    """Return the rows of the page in their order, and the number of matching entries.

    The number is None behind a cursor, where the statement counts only the rest of a filtered list.
    """
    if list_filter.near is not None or list_filter.location is not None:
        read_at_most = max(_READ_AT_MOST, page.end, count_to)
        reads = {"at_most": read_at_most + 1, "count_to": count_to if list_filter.near else read_at_most + 1}
        by_location = page_statement(tx.ops, list_filter, page, ScanPlan.BY_LOCATION, is_full=is_full, **reads)
        rows, counted = await _read(tx, by_location, page.sort)
        if list_filter.near is not None or counted <= read_at_most:
            return rows, counted
    reads = {"at_most": max(page.end, count_to), "count_to": count_to}
    by_sort = page_statement(tx.ops, list_filter, page, ScanPlan.BY_SORT, is_full=is_full, **reads)
    rows, counted = await _read(tx, by_sort, page.sort)
    return rows, None if list_filter.is_narrowed and page.after is not None else counted


async def _read(
    tx: ReadTx, statement: tuple[Statement, dict[str, Any]], sort: ProviderSort
) -> tuple[Sequence[Any], int]:
    """Return the rows of a page, and the number of entries that its statement found."""
    rows = await tx.all(*statement)
    # The database chose the rows in order; a join keeps no order, so the few that it chose are sorted again.
    shown = [row for row in rows if row.id is not None]
    shown.sort(key=lambda row: (row.sort_key, row.id), reverse=sort not in _ASCENDING)
    return shown, int(rows[0].counted)


async def count_up_to(tx: ReadTx, list_filter: ListFilter, *, most: int) -> int:
    """Count matching entries up to `most`; ignores `near`."""
    statement, values = count_statement(list_filter, most=most)
    [(found,)] = await tx.all(statement, values)
    return int(found)


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
    ops: SQLOps,
    list_filter: ListFilter,
    page: PageRequest,
    plan: ScanPlan,
    *,
    is_full: bool,
    at_most: int,
    count_to: int,
) -> tuple[Statement, dict[str, Any]]:
    """Return the statement of a page, and the values of its parameters.

    Its rows have the columns of a provider, or NULLs where the page is empty, `sort_key` and `counted`: the number of
    entries found, or for an unfiltered list the number of all.

    Args:
        at_most: How many entries are looked for; in a circle, all are.
        count_to: How many of those that were found are counted.
    """
    shape = _Shape(
        ops=ops, filter=list_filter.shape, plan=plan, sort=page.sort, is_full=is_full, is_behind=page.after is not None
    )
    values: dict[str, Any] = {"limit": page.limit, "offset": page.offset, "at_most": at_most, "count_to": count_to}
    if page.after is not None:
        values |= {"after_key": page.after.key, "after_id": page.after.provider_id}
    return _prepared_page(shape), values | list_filter.parameters


def count_statement(list_filter: ListFilter, *, most: int) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts matching entries up to `most`, and the values of its parameters.

    Ignores `near`; radius queries take their count from `page_statement`.
    """
    return _counting(list_filter.shape), list_filter.parameters | {"most": most}


@lru_cache(maxsize=64)
def _counting(shape: FilterShape) -> Prepared:
    price = ListEntryRow.price_sort_minor
    lists = [select_entries_in_order(number, shape, price=price) for number in range(len(shape.scopes))]
    heads = [entries.with_only_columns(literal(1)).limit(_number("most")).subquery() for entries in lists]
    counted = union_all(*(select(head) for head in heads)).subquery()
    return Prepared(select(func.count()).select_from(select(counted).limit(_number("most")).subquery()))


@lru_cache(maxsize=128)  # of 0.1 MB each
def _prepared_page(shape: _Shape) -> Statement:
    page = _page(shape)
    # The number of bands of a circle is part of the text.
    return page if "near" in shape.filter.fields else Prepared(page)


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


def _count(found: CTE, shape: FilterShape) -> Select[Any]:
    if shape.fields:
        some = select(found.c.provider_id).limit(_number("count_to")).subquery("some")
        return select(func.count().label("counted")).select_from(some)
    total = func.coalesce(func.sum(PriceBandRow.providers), 0).label("counted")
    scopes = [bindparam(f"scope{number}", type_=ListEntryRow.scope.type) for number in range(len(shape.scopes))]
    return select(total).where(PriceBandRow.scope.in_(scopes))


def _entries_by_location(shape: _Shape) -> CTE:
    """Return all the entries at a location or in a circle, in any order: ids and sort keys."""
    price = shape.ops.unindexed(ListEntryRow.price_sort_minor)
    columns = (ListEntryRow.provider_id, _sort_key(shape.sort))
    lists = [
        select_entries_by_location(number, shape.filter, price=price).with_only_columns(*columns)
        for number in range(len(shape.filter.scopes))
    ]
    found = lists[0] if len(lists) == 1 else select(union_all(*lists).subquery())
    return (found if "near" in shape.filter.fields else found.limit(_number("at_most"))).cte("found")


def _entries_in_order(shape: _Shape) -> CTE:
    """Return the first entries in the order of the page: ids and sort keys, which an index of each list has."""
    price: Any = ListEntryRow.price_sort_minor
    price = price if shape.sort is ProviderSort.PRICE else shape.ops.unindexed(price)
    key = _sort_key(shape.sort)
    columns = (ListEntryRow.provider_id, key)
    lists = [
        select_entries_in_order(number, shape.filter, price=price).with_only_columns(*columns)
        for number in range(len(shape.filter.scopes))
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
    if shape.sort in _ASCENDING:
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
    return entry > last if shape.sort in _ASCENDING else entry < last


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer())
