"""The list of providers: one builder of conditions and order for the page, lean or full, and for its total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from fairground.contracts.catalog import LeanProvider, ListedProvider, ProviderSort
from fairground.modules.catalog.domain.cursors import Cursor
from fairground.modules.catalog.domain.free_days import FreeOn
from fairground.modules.catalog.domain.places import Circle, distance_km, point
from fairground.modules.catalog.store.cards import CARD_COLUMNS, card_fields, list_categories
from fairground.modules.catalog.tables import (
    EVERYBODY,
    NO_PRICE_SORTS_AS,
    DayRow,
    ListEntryRow,
    ProviderPhraseRow,
    ProviderRow,
    WeekRow,
)
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import after_prefix

_ASCENDING: Final = {ProviderSort.PRICE, ProviderSort.DISTANCE}
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


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """Which providers are listed. None means that it does not matter."""

    scopes: Sequence[str]
    """Lists that share nobody: a provider has one vertical, and a word means at most one category of each."""
    name: str | None = None
    """Folded; the name or a word in it begins with it."""
    location: str | None = None
    """Folded; the location or a word in it begins with it."""
    min_minor: int | None = None
    max_minor: int | None = None
    """Bounds of the lowest price, included. Either one leaves out providers without a price."""
    min_rating: float | None = None
    free_on: FreeOn | None = None
    """Its scopes are of one vertical each."""
    near: Circle | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the scopes leaves somebody out."""
        narrowing = (self.name, self.location, self.min_minor, self.max_minor, self.min_rating, self.free_on, self.near)
        return any(value is not None for value in narrowing)


@dataclass(frozen=True, kw_only=True)
class PageOf:
    """Which part of a list."""

    sort: ProviderSort
    limit: int
    offset: int
    after: Cursor | None = None


async def list_full(tx: ReadTx, wanted: ListFilter, page: PageOf) -> tuple[list[ListedProvider], Cursor | None]:
    """Return a page, and the cursor to what follows; None where nothing does."""
    rows, end = await _rows(tx, wanted, page, _FULL_COLUMNS)
    categories = await list_categories(tx, [row.id for row in rows])
    providers = [
        ListedProvider(
            **card_fields(row, categories[row.id]),
            distance_km=_distance(row, wanted.near),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]
    return providers, end


async def list_lean(tx: ReadTx, wanted: ListFilter, page: PageOf) -> tuple[list[LeanProvider], Cursor | None]:
    """Return what `list_full` returns, of fewer columns."""
    rows, end = await _rows(tx, wanted, page, _LEAN_COLUMNS)
    names = LeanProvider.model_fields
    providers = [LeanProvider(**{name: getattr(row, name) for name in names}) for row in rows]
    return providers, end


def _distance(row: Any, near: Circle | None) -> float | None:
    return None if near is None else round(distance_km(near.lat, near.lng, row.lat, row.lng), 3)


async def _rows(
    tx: ReadTx, wanted: ListFilter, page: PageOf, columns: Sequence[Any]
) -> tuple[Sequence[Any], Cursor | None]:
    price = ListEntryRow.price_sort_minor
    chosen = _chosen(wanted, page, price=price if page.sort is ProviderSort.PRICE else tx.ops.passed_over(price))
    statement = select(*columns, chosen.c.sort_key).join(chosen, chosen.c.provider_id == ProviderRow.id)
    # The database has chosen in the order of its index; the few that it chose are put in that order here, for a join
    # promises none.
    rows = sorted(await tx.all(statement), key=lambda row: (row.sort_key, row.id), reverse=page.sort not in _ASCENDING)
    if len(rows) < page.limit:
        return rows, None
    return rows, Cursor(sort=page.sort, key=rows[-1].sort_key, provider_id=rows[-1].id)


async def count_up_to(tx: ReadTx, wanted: ListFilter, *, most: int) -> int:
    """Count who is listed, and stop at `most`."""
    entries = [_entries(scope, wanted).with_only_columns(literal(1)).limit(most).subquery() for scope in wanted.scopes]
    counted = union_all(*(select(each) for each in entries)).subquery()
    found: int = await tx.scalar(select(func.count()).select_from(select(counted).limit(most).subquery()))
    return found


def is_listed(
    wanted: ListFilter, *, provider_id: ColumnElement[UUID], vertical: ColumnElement[str]
) -> ColumnElement[bool]:
    """Return whether a provider, of another query, is listed."""
    return or_(*(_has_entry(scope, wanted, provider_id, vertical) for scope in wanted.scopes))


def _has_entry(
    scope: str, wanted: ListFilter, provider_id: ColumnElement[UUID], vertical: ColumnElement[str]
) -> ColumnElement[bool]:
    entry = _entries(scope, wanted).where(ListEntryRow.provider_id == provider_id).with_only_columns(literal(1))
    # A value, for EXISTS would let the planner read a list as a whole instead of finding the few candidates in it.
    is_there = entry.scalar_subquery() == 1
    return is_there if scope == EVERYBODY else and_(vertical == scope.partition("/")[0], is_there)


def _chosen(wanted: ListFilter, page: PageOf, *, price: Any) -> Subquery:
    """Return the ids and sort keys of the page, which no table but that of the entries is read for."""
    key = _sort_key(page.sort, wanted.near)
    columns = (ListEntryRow.provider_id, key)
    lists = [_entries(scope, wanted, price=price).with_only_columns(*columns) for scope in wanted.scopes]
    if page.after is not None:
        lists = [entries.where(_is_behind(page.after, key)) for entries in lists]
    if len(lists) == 1:
        return _cut(lists[0], page, key, ListEntryRow.provider_id).offset(page.offset).limit(page.limit).subquery()
    # Each list gives as many as the page could need of it, in order; they share nobody.
    most = page.offset + page.limit
    heads = [_cut(entries, page, key, ListEntryRow.provider_id).limit(most).subquery() for entries in lists]
    merged = union_all(*(select(head) for head in heads)).subquery()
    ordered = _cut(select(merged), page, merged.c.sort_key, merged.c.provider_id)
    return ordered.offset(page.offset).limit(page.limit).subquery()


def _cut(entries: Select[Any], page: PageOf, key: ColumnElement[Any], provider_id: Any) -> Select[Any]:
    if page.sort in _ASCENDING:
        return entries.order_by(key.asc(), provider_id.asc())
    return entries.order_by(key.desc(), provider_id.desc())


def _sort_key(sort: ProviderSort, near: Circle | None) -> Any:
    if sort is ProviderSort.DISTANCE and near is not None:
        return _chord_squared(near).label("sort_key")
    return _COLUMN[sort].label("sort_key")


def _is_behind(after: Cursor, key: Any) -> ColumnElement[bool]:
    # A comparison of rows, which both dialects read from an index as one range.
    last = tuple_(literal(after.key, key.type), literal(after.provider_id, Uuid()))
    entry = tuple_(key.element, ListEntryRow.provider_id)
    return entry > last if after.sort in _ASCENDING else entry < last


def _entries(scope: str, wanted: ListFilter, *, price: Any = ListEntryRow.price_sort_minor) -> Select[Any]:
    """Return the entries of one list that are wanted, without any order."""
    conditions: list[ColumnElement[bool]] = [ListEntryRow.scope == scope]
    if wanted.name is not None:
        conditions.append(_begins("name", wanted.name))
    if wanted.location is not None:
        conditions.append(_begins("location", wanted.location))
    if wanted.min_rating is not None:
        conditions.append(ListEntryRow.rating_avg >= wanted.min_rating)
    if wanted.near is not None:
        conditions += _lies_in(wanted.near)
    if wanted.free_on is not None:
        conditions.append(_is_free(wanted.free_on, vertical=scope.partition("/")[0]))
    return select(ListEntryRow).where(*conditions, *_price_conditions(wanted, price))


def _begins(field: str, prefix: str) -> ColumnElement[bool]:
    phrase = ProviderPhraseRow.phrase
    found = select(ProviderPhraseRow.provider_id).where(
        ProviderPhraseRow.field == field, phrase >= prefix, phrase < after_prefix(prefix)
    )
    return ListEntryRow.provider_id.in_(found)


def _price_conditions(wanted: ListFilter, price: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.min_minor is not None:
        conditions.append(price >= wanted.min_minor)
    if wanted.max_minor is not None:
        conditions.append(price <= wanted.max_minor)
    elif wanted.min_minor is not None:
        conditions.append(price < NO_PRICE_SORTS_AS)
    return conditions


def _lies_in(circle: Circle) -> list[ColumnElement[bool]]:
    # The bands and longitudes are a range of the index for each band; the exact distance decides among those.
    ranges = [ListEntryRow.lng.between(west, east) for west, east in circle.lng_ranges]
    return [
        ListEntryRow.lat_band.in_(circle.lat_bands),
        or_(*ranges),
        _chord_squared(circle) <= circle.chord_squared,
    ]


def _chord_squared(circle: Circle) -> ColumnElement[float | None]:
    x, y, z = (
        column - value
        for column, value in zip(
            (ListEntryRow.x, ListEntryRow.y, ListEntryRow.z), point(circle.lat, circle.lng), strict=True
        )
    )
    return x * x + y * y + z * z


def _is_free(wanted: FreeOn, *, vertical: str) -> ColumnElement[bool]:
    """Return whether the last start of the day is late enough, as the week or that very date says."""
    of_week = func.substr(WeekRow.last_starts, 4 * wanted.day.weekday() + 1, 4)
    starts = wanted.first_starts[vertical]
    times = [(WeekRow.timezone.in_(_written(zones)), start) for start, zones in starts.zones.items()]
    first_start = case(*times, else_=starts.usual) if times else literal(starts.usual)
    is_that_day = (DayRow.provider_id == WeekRow.provider_id) & (DayRow.day == wanted.day)
    in_time = case((func.coalesce(DayRow.last_start, of_week) >= first_start, 1), else_=0)
    # A question for each entry and not a join, for the order of an index must stay cheaper than reading everybody's
    # days; and "more than 0", because PostgreSQL takes "is 1" of an unknown for so rare that it would read them all.
    return (
        select(in_time)
        .select_from(WeekRow)
        .join(DayRow, is_that_day, isouter=True)
        .where(WeekRow.provider_id == ListEntryRow.provider_id)
        .scalar_subquery()
    ) > 0


def _written(zones: Sequence[str]) -> BindParameter[Any]:
    # Into the statement itself, because six hundred parameters take longer than the question.
    return bindparam(None, zones, expanding=True, literal_execute=True)
