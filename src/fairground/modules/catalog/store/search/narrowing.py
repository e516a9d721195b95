"""The filter of a list, asked of candidates: of what their documents know, and of a row or two for what they do not."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, case, or_, select

from fairground.modules.catalog.domain.free_days import FreeOn
from fairground.modules.catalog.store.list_filter import ListFilter, first_start, has_start_from, lies_in
from fairground.modules.catalog.store.locations import is_at
from fairground.modules.catalog.tables import EVERYBODY, ListEntryRow


def fits(documents: FromClause, wanted: ListFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on what documents have copies of."""
    conditions = _figures(documents, wanted)
    # Whoever has a document is approved and so in the list of everybody.
    if EVERYBODY not in wanted.scopes:
        conditions.append(or_(*(_is_in(scope, documents) for scope in wanted.scopes)))
    if wanted.free_on is not None:
        can_be = [vertical for vertical, starts in wanted.free_on.first_starts.items() if not starts.are_none]
        conditions.append(documents.c.vertical.in_(can_be))
        # Most of those who are closed that day are passed over so; of the others the week and the date are asked.
        conditions.append(documents.c.open_days.bitwise_and(wanted.free_on.any_bit) != 0)
    return conditions


def asks_for_more(wanted: ListFilter) -> bool:
    """Return whether documents do not know all that is asked for."""
    return wanted.location is not None or wanted.near is not None or wanted.free_on is not None


def narrowed(documents: FromClause, wanted: ListFilter) -> Select[Any]:
    """Select those of the candidates of whom more than their documents fits."""
    candidates = select(documents)
    if there := _there(wanted):
        is_own = (ListEntryRow.provider_id == documents.c.provider_id) & (ListEntryRow.scope == EVERYBODY)
        candidates = candidates.join(ListEntryRow, is_own).where(*there)
    return candidates if wanted.free_on is None else candidates.where(_is_free(documents, wanted.free_on))


def _is_in(scope: str, documents: FromClause) -> ColumnElement[bool]:
    vertical, _, category = scope.partition("/")
    is_in_vertical: ColumnElement[bool] = documents.c.vertical == vertical
    if not category:
        return is_in_vertical
    categories: ColumnElement[str] = " " + documents.c.categories + " "
    return is_in_vertical & categories.contains(f" {category} ", autoescape=True)


def _figures(documents: FromClause, wanted: ListFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.min_minor is not None:
        conditions.append(documents.c.price_from_minor >= wanted.min_minor)
    if wanted.max_minor is not None:
        conditions.append(documents.c.price_from_minor <= wanted.max_minor)
    if wanted.min_rating is not None:
        conditions.append(documents.c.rating_avg >= wanted.min_rating)
    return conditions


def _there(wanted: ListFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.location is not None:
        conditions.append(is_at(ListEntryRow.folded_location, wanted.location).is_(True))
    if wanted.near is not None:
        conditions.append(lies_in(wanted.near))
    return conditions


def _is_free(documents: FromClause, wanted: FreeOn) -> ColumnElement[bool]:
    vertical = documents.c.vertical
    # One question with a time for each vertical, for PostgreSQL would ask one of each vertical every time.
    earliest = case(*((vertical == name, first_start(wanted, name)) for name in wanted.first_starts))
    return has_start_from(wanted, earliest, provider_id=documents.c.provider_id)
