"""The list of providers: a page of it, lean or full, and its total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairground.contracts.catalog import LeanProvider, ListedProvider
from fairground.modules.catalog.domain.cursors import Cursor
from fairground.modules.catalog.domain.places import Circle, distance_km
from fairground.modules.catalog.store.cards import card_fields
from fairground.modules.catalog.store.list_filter import ListFilter
from fairground.modules.catalog.store.list_statements import ASCENDING, PageOf, Way, count_statement, page_statement
from fairground.platform.db.database import ReadTx

_READ_AT_MOST = 10_000  # entries of a location in one list; of more it is quicker to find the first in order
_Provider = TypeVar("_Provider")


@dataclass(frozen=True, kw_only=True)
class Listed(Generic[_Provider]):
    """A page of a list."""

    providers: list[_Provider]
    end: Cursor | None
    """To what follows; None where nothing does."""
    counted: int | None
    """How many are listed, or as many as were to be counted when there are more; None where the page cannot tell."""


async def list_full(tx: ReadTx, wanted: ListFilter, page: PageOf, *, count_to: int) -> Listed[ListedProvider]:
    """Return a page, and how many are listed: of a narrowed list counted up to `count_to`."""
    rows, counted = await _find(tx, wanted, page, is_full=True, count_to=count_to)
    categories: dict[Any, list[tuple[int, str]]] = {}
    for row in rows:  # one for each category of a provider
        categories.setdefault(row.id, []).append((row.position, row.category))
    shown = list({row.id: row for row in rows}.values())
    providers = [
        ListedProvider(
            **card_fields(row, [category for _, category in sorted(categories[row.id])]),
            distance_km=_distance(row, wanted.near),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in shown
    ]
    return Listed(providers=providers, end=_end(shown, page), counted=counted)


async def list_lean(tx: ReadTx, wanted: ListFilter, page: PageOf, *, count_to: int) -> Listed[LeanProvider]:
    """Return what `list_full` returns, of fewer columns."""
    rows, counted = await _find(tx, wanted, page, is_full=False, count_to=count_to)
    names = LeanProvider.model_fields
    providers = [LeanProvider(**{name: getattr(row, name) for name in names}) for row in rows]
    return Listed(providers=providers, end=_end(rows, page), counted=counted)


def _distance(row: Any, near: Circle | None) -> float | None:
    return None if near is None else round(distance_km(near.lat, near.lng, row.lat, row.lng), 3)


def _end(rows: Sequence[Any], page: PageOf) -> Cursor | None:
    if len(rows) < page.limit:
        return None
    return Cursor(sort=page.sort, key=rows[-1].sort_key, provider_id=rows[-1].id)


async def count_up_to(tx: ReadTx, wanted: ListFilter, *, most: int) -> int:
    """Count who is listed wherever they are, and stop at `most`."""
    statement, values = count_statement(wanted, most=most)
    [(found,)] = await tx.all(statement, values)
    return int(found)


async def _find(
    tx: ReadTx, wanted: ListFilter, page: PageOf, *, is_full: bool, count_to: int
) -> tuple[Sequence[Any], int | None]:
    """Return the rows of the page in their order, and how many are listed."""
    if wanted.near is not None or wanted.location is not None:
        read_at_most = max(_READ_AT_MOST, page.end, count_to)
        reads = {"at_most": read_at_most + 1, "count_to": count_to if wanted.near else read_at_most + 1}
        rows, counted = await _read(tx, wanted, page, Way.THERE, is_full=is_full, **reads)
        if wanted.near is not None or counted <= read_at_most:
            return rows, counted
    at_most = max(page.end, count_to)
    rows, counted = await _read(tx, wanted, page, Way.IN_ORDER, is_full=is_full, at_most=at_most, count_to=count_to)
    return rows, None if wanted.is_narrowed and page.after is not None else counted


async def _read(
    tx: ReadTx, wanted: ListFilter, page: PageOf, way: Way, *, is_full: bool, at_most: int, count_to: int
) -> tuple[Sequence[Any], int]:
    """Return the rows of a page of what is found in a way, and how many that are."""
    statement, values = page_statement(tx.ops, wanted, page, way, is_full=is_full, at_most=at_most, count_to=count_to)
    rows = await tx.all(statement, values)
    # The database has chosen in order; the few that it chose are put in that order here, for a join promises none.
    shown = [row for row in rows if row.id is not None]
    shown.sort(key=lambda row: (row.sort_key, row.id), reverse=page.sort not in ASCENDING)
    return shown, int(rows[0].counted)
