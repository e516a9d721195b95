"""Which providers a list shows: the conditions on its entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select

from fairground.modules.catalog.domain.free_days import ANY_START, CLOSED, FreeOn
from fairground.modules.catalog.domain.places import Circle, point
from fairground.modules.catalog.store.locations import is_at
from fairground.modules.catalog.tables import NO_PRICE_SORTS_AS, DayRow, ListEntryRow, NamePhraseRow, WeekRow
from fairground.platform.db.types import after_prefix, looked_up

_PROVIDER_ID: Final[Any] = ListEntryRow.provider_id


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
    """Its scopes are of one vertical each, unless every start is in time."""
    near: Circle | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the scopes leaves somebody out."""
        narrowing = (self.name, self.location, self.min_minor, self.max_minor, self.min_rating, self.free_on, self.near)
        return any(value is not None for value in narrowing)


def entries_in_order(scope: str, wanted: ListFilter, *, price: Any) -> Select[Any]:
    """Select the wanted entries of a list, each of which is looked at in turn: an index of a sort has all it takes."""
    conditions = _conditions(scope, wanted, price=price)
    if wanted.location is not None:
        # As a question of true or false, or it would be turned into a join that knows no order.
        conditions.append(is_at(ListEntryRow.folded_location, wanted.location).is_(True))
    return select(ListEntryRow).where(*conditions)


def entries_there(scope: str, wanted: ListFilter, *, price: Any) -> Select[Any]:
    """Select the wanted entries of a list by where they are: the index of locations or circles has all it takes."""
    conditions = _conditions(scope, wanted, price=price)
    if wanted.near is not None:
        # The bands and longitudes are a range of the index for each band; the exact distance decides among those.
        ranges = [ListEntryRow.lng.between(west, east) for west, east in wanted.near.lng_ranges]
        conditions += [ListEntryRow.lat_band.in_(wanted.near.lat_bands), or_(*ranges), lies_in(wanted.near)]
    if wanted.location is not None:
        conditions.append(is_at(ListEntryRow.folded_location, wanted.location))
    return select(ListEntryRow).where(*conditions)


def _conditions(scope: str, wanted: ListFilter, *, price: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ListEntryRow.scope == scope]
    if wanted.name is not None:
        phrase = NamePhraseRow.phrase
        called = select(NamePhraseRow.provider_id).where(phrase >= wanted.name, phrase < after_prefix(wanted.name))
        conditions.append(ListEntryRow.provider_id.in_(called))
    if wanted.min_rating is not None:
        conditions.append(ListEntryRow.rating_avg >= wanted.min_rating)
    if wanted.free_on is not None:
        conditions.append(_is_free(wanted.free_on, vertical=scope.partition("/")[0]))
    return conditions + _price_conditions(wanted, price)


def _price_conditions(wanted: ListFilter, price: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.min_minor is not None:
        conditions.append(price >= wanted.min_minor)
    if wanted.max_minor is not None:
        conditions.append(price <= wanted.max_minor)
    elif wanted.min_minor is not None:
        conditions.append(price < NO_PRICE_SORTS_AS)
    return conditions


def lies_in(circle: Circle) -> ColumnElement[bool]:
    return chord_squared(circle) <= circle.chord_squared


def chord_squared(circle: Circle) -> ColumnElement[float | None]:
    """Return how far an entry is from the middle of the circle, as the square of the straight line."""
    x, y, z = (
        column - value
        for column, value in zip(
            (ListEntryRow.x, ListEntryRow.y, ListEntryRow.z), point(circle.lat, circle.lng), strict=True
        )
    )
    return x * x + y * y + z * z


def _is_free(wanted: FreeOn, *, vertical: str) -> ColumnElement[bool]:
    # What the entry knows of the week passes over most of those who are not free; the few others are asked.
    can_be = ListEntryRow.open_days.bitwise_and(wanted.any_bit) != 0
    if wanted.are_all:
        return and_(can_be, _has_start(wanted))
    if wanted.first_starts[vertical].are_none:
        return false()  # or everybody would be asked
    return and_(can_be, has_start_from(wanted, first_start(wanted, vertical), provider_id=_PROVIDER_ID))


def _has_start(wanted: FreeOn) -> ColumnElement[bool]:
    """Return whether there is any start, which takes no look at the week."""
    mine = (DayRow.provider_id == ListEntryRow.provider_id, DayRow.day == wanted.day)
    of_that_day = select(DayRow.last_start).where(*mine).scalar_subquery()
    of_week = case((ListEntryRow.open_days.bitwise_and(wanted.weekday_bit) != 0, ANY_START), else_=CLOSED)
    return func.coalesce(of_that_day, of_week) >= ANY_START


def has_start_from(
    wanted: FreeOn, earliest: ColumnElement[str], *, provider_id: ColumnElement[UUID]
) -> ColumnElement[bool]:
    """Return whether the last start of the date is late enough, as the week or that very date says.

    Args:
        earliest: As `first_start` has it.
        provider_id: Of another query.
    """
    of_week = func.substr(WeekRow.last_starts, 4 * wanted.day.weekday() + 1, 4)
    in_time = case((func.coalesce(DayRow.last_start, of_week) >= earliest, 1), else_=0)
    is_that_day = (DayRow.provider_id == WeekRow.provider_id) & (DayRow.day == wanted.day)
    # A question for each provider and not a join, which would read everybody's weeks, and knows no order of an index;
    # and "more than 0", because PostgreSQL takes "is 1" of an unknown for so rare that it would read them all.
    return (
        select(in_time)
        .select_from(WeekRow)
        .join(DayRow, is_that_day, isouter=True)
        .where(WeekRow.provider_id == provider_id)
        .scalar_subquery()
    ) > 0


def first_start(wanted: FreeOn, vertical: str) -> ColumnElement[str]:
    """Return the first start of the vertical that is in time where the provider of a week is."""
    starts = wanted.first_starts[vertical]
    usual = literal(starts.usual)
    if not starts.zones:
        return usual
    # By its place, for the name of a vertical may not be one of a parameter.
    name = f"first_starts_{list(wanted.first_starts).index(vertical)}"
    return func.coalesce(looked_up(starts.zones, WeekRow.timezone, name=name), usual)
