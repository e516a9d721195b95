"""The filter of a list, asked of candidates: of what their documents know, and of a row or two for what they do not."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Text, bindparam, case, false, literal, or_, select

from fairground.modules.discovery.domain.availability_summary import ANY_START
from fairground.modules.discovery.store.list_conditions import (
    LOCATION,
    MAX_MINOR,
    MIN_MINOR,
    MIN_RATING,
    can_be_open,
    first_start,
    has_start_from,
    lies_in_circle,
)
from fairground.modules.discovery.store.list_filter import LIKE_ESCAPE, FilterShape, ScopeKind
from fairground.modules.discovery.store.locations import is_at
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE, ListEntryRow

_NOT_IN_DOCUMENTS: Final = frozenset({"location", "near", "free_on"})


def fits(documents: FromClause, wanted: FilterShape) -> list[ColumnElement[bool]]:
    """Return the conditions on what documents have copies of."""
    conditions = _figures(documents, wanted)
    # Every provider with a document is in the list of all.
    if all(scope.kind is not ScopeKind.ALL for scope in wanted.scopes):
        conditions.append(or_(false(), *(_is_in(number, documents, wanted) for number in _in_time(wanted))))
    if "free_on" in wanted.asked:
        # Skips most providers that are closed that day; the summaries of the others decide.
        conditions.append(can_be_open(documents.c.open_days))
    return conditions


def asks_for_more(wanted: FilterShape) -> bool:
    """Return whether documents do not know all that is asked for."""
    return not wanted.asked.isdisjoint(_NOT_IN_DOCUMENTS)


def narrowed(documents: FromClause, wanted: FilterShape) -> Select[Any]:
    """Select those of the candidates of whom more than their documents fits."""
    candidates = select(documents)
    if there := _there(wanted):
        is_own = (ListEntryRow.provider_id == documents.c.provider_id) & (ListEntryRow.scope == ALL_PROVIDERS_SCOPE)
        candidates = candidates.join(ListEntryRow, is_own).where(*there)
    return candidates.where(_is_free(documents, wanted)) if "free_on" in wanted.asked else candidates


def _in_time(wanted: FilterShape) -> list[int]:
    """Return the numbers of the lists where any start of the wanted date can be booked."""
    return [number for number, scope in enumerate(wanted.scopes) if scope.is_in_time]


def _is_in(number: int, documents: FromClause, wanted: FilterShape) -> ColumnElement[bool]:
    is_in_vertical = _is_of_vertical(number, documents)
    if wanted.scopes[number].kind is ScopeKind.VERTICAL:
        return is_in_vertical
    categories: ColumnElement[str] = " " + documents.c.categories + " "
    category = bindparam(f"category{number}", type_=Text())
    return is_in_vertical & categories.contains(category, escape=LIKE_ESCAPE)


def _is_of_vertical(number: int, documents: FromClause) -> ColumnElement[bool]:
    is_of_vertical: ColumnElement[bool] = documents.c.vertical == bindparam(f"vertical{number}", type_=Text())
    return is_of_vertical


def _figures(documents: FromClause, wanted: FilterShape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "min_minor" in wanted.asked:
        conditions.append(documents.c.price_from_minor >= MIN_MINOR)
    if "max_minor" in wanted.asked:
        conditions.append(documents.c.price_from_minor <= MAX_MINOR)
    if "min_rating" in wanted.asked:
        conditions.append(documents.c.rating_avg >= MIN_RATING)
    return conditions


def _there(wanted: FilterShape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "location" in wanted.asked:
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION).is_(True))
    if "near" in wanted.asked:
        conditions.append(lies_in_circle())
    return conditions


def _is_free(documents: FromClause, wanted: FilterShape) -> ColumnElement[bool]:
    if not wanted.is_by_the_clock:
        return has_start_from(literal(ANY_START), provider_id=documents.c.provider_id)
    # One question with a time for each vertical, for PostgreSQL would ask one of each vertical every time.
    starts = [(_is_of_vertical(number, documents), first_start(number)) for number in _in_time(wanted)]
    return has_start_from(case(*starts), provider_id=documents.c.provider_id) if starts else false()
