"""The list of providers: a page of it, lean or full, and its total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairground.contracts.discovery import LeanProvider, ListedProvider
from fairground.modules.discovery.domain.cursors import Cursor
from fairground.modules.discovery.domain.places import Circle, distance_km
from fairground.modules.discovery.store.list_filter import ListFilter
from fairground.modules.discovery.store.list_statements import (
    ASCENDING,
    PageRequest,
    ScanPlan,
    count_statement,
    page_statement,
)
from fairground.modules.discovery.store.listed_providers import card_fields
from fairground.platform.db.database import ReadTx

_READ_AT_MOST = 10_000  # entries of a location in one list; of more it is quicker to find the first in order
_Provider = TypeVar("_Provider")


@dataclass(frozen=True, kw_only=True)
class PageResult(Generic[_Provider]):
    """A page of a list."""

    providers: list[_Provider]
    end: Cursor | None
    """Of the next page; None on the last one."""
    counted: int | None
    """Number of matching entries, at most `count_to` of a filtered list; None where the page cannot count them."""


async def list_full(tx: ReadTx, wanted: ListFilter, page: PageRequest, *, count_to: int) -> PageResult[ListedProvider]:
    """Return a page, and the number of matching entries: of a filtered list up to `count_to`."""
    rows, counted = await _find(tx, wanted, page, is_full=True, count_to=count_to)
    providers = [
        ListedProvider(
            **card_fields(row),
            distance_km=_distance(row, wanted.near),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]
    return PageResult(providers=providers, end=_end(rows, page), counted=counted)


async def list_lean(tx: ReadTx, wanted: ListFilter, page: PageRequest, *, count_to: int) -> PageResult[LeanProvider]:
    """Return the page of `list_full` with fewer columns."""
    rows, counted = await _find(tx, wanted, page, is_full=False, count_to=count_to)
    names = LeanProvider.model_fields
    providers = [LeanProvider(**{name: getattr(row, name) for name in names}) for row in rows]
    return PageResult(providers=providers, end=_end(rows, page), counted=counted)


def _distance(row: Any, near: Circle | None) -> float | None:
    return None if near is None else round(distance_km(near.lat, near.lng, row.lat, row.lng), 3)


def _end(rows: Sequence[Any], page: PageRequest) -> Cursor | None:
    if len(rows) < page.limit:
        return None
    return Cursor(sort=page.sort, key=rows[-1].sort_key, provider_id=rows[-1].id)


async def count_up_to(tx: ReadTx, wanted: ListFilter, *, most: int) -> int:
    """Count matching entries up to `most`; ignores `near`."""
    statement, values = count_statement(wanted, most=most)
    [(found,)] = await tx.all(statement, values)
    return int(found)


async def _find(
    tx: ReadTx, wanted: ListFilter, page: PageRequest, *, is_full: bool, count_to: int
) -> tuple[Sequence[Any], int | None]:
    """Return the rows of the page in their order, and the number of matching entries."""
    if wanted.near is not None or wanted.location is not None:
        read_at_most = max(_READ_AT_MOST, page.end, count_to)
        reads = {"at_most": read_at_most + 1, "count_to": count_to if wanted.near else read_at_most + 1}
        rows, counted = await _read(tx, wanted, page, ScanPlan.BY_LOCATION, is_full=is_full, **reads)
        if wanted.near is not None or counted <= read_at_most:
            return rows, counted
    at_most = max(page.end, count_to)
    rows, counted = await _read(tx, wanted, page, ScanPlan.BY_SORT, is_full=is_full, at_most=at_most, count_to=count_to)
    return rows, None if wanted.is_narrowed and page.after is not None else counted


async def _read(
    tx: ReadTx, wanted: ListFilter, page: PageRequest, plan: ScanPlan, *, is_full: bool, at_most: int, count_to: int
) -> tuple[Sequence[Any], int]:
    """Return the rows of a page as a plan finds it, and the number of entries that it found."""
    statement, values = page_statement(tx.ops, wanted, page, plan, is_full=is_full, at_most=at_most, count_to=count_to)
    rows = await tx.all(statement, values)
    # The database chose the rows in order; a join keeps no order, so the few that it chose are sorted again.
    shown = [row for row in rows if row.id is not None]
    shown.sort(key=lambda row: (row.sort_key, row.id), reverse=page.sort not in ASCENDING)
    return shown, int(rows[0].counted)
