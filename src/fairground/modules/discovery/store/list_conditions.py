"""The conditions on list entries for a shape of filter; `ListFilter.parameters` has the values."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Date, Float, Integer, Text, and_, bindparam, case, false, func, or_, select
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from fairground.modules.discovery.domain.availability_summary import ANY_START, CLOSED
from fairground.modules.discovery.store.list_filter import FilterShape
from fairground.modules.discovery.store.locations import is_at
from fairground.modules.discovery.tables import NO_PRICE_SORTS_AS, DayRow, ListEntryRow, NamePhraseRow, WeekRow
from fairground.platform.db.types import after_prefix, looked_up

MIN_MINOR: Final = bindparam("min_minor", type_=BigInteger())
MAX_MINOR: Final = bindparam("max_minor", type_=BigInteger())
MIN_RATING: Final = bindparam("min_rating", type_=Float())
LOCATION: Final = bindparam("location", type_=Text())
_NAME: Final = bindparam("name", type_=Text())
_DAY: Final = bindparam("day", type_=Date())
_PROVIDER_ID: Final[Any] = ListEntryRow.provider_id


def entries_in_order(number: int, shape: FilterShape, *, price: Any) -> Select[Any]:
    """Select the matching entries of a list in the order of a sort, whose index has all columns.

    Args:
        number: Of the list, among the scopes of the filter.
        price: The column of prices, or what stands for it.
    """
    conditions = _conditions(number, shape, price=price)
    if "location" in shape.asked:
        # As a boolean expression, because PostgreSQL would turn it into a join, which loses the index order.
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION).is_(True))
    return select(ListEntryRow).where(*conditions)


def entries_by_location(number: int, shape: FilterShape, *, price: Any) -> Select[Any]:
    """Select the matching entries of a list by location or circle, whose index has all columns."""
    conditions = _conditions(number, shape, price=price)
    if "near" in shape.asked:
        # The bands and longitudes are a range of the index for each band; the exact distance decides among those.
        ranges = [_lng_between(f"west{each}", f"east{each}") for each in range(shape.lng_ranges)]
        lat_bands = bindparam("lat_bands", type_=Integer(), expanding=True)
        conditions += [ListEntryRow.lat_band.in_(lat_bands), or_(*ranges), lies_in_circle()]
    if "location" in shape.asked:
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION))
    return select(ListEntryRow).where(*conditions)


def _lng_between(west: str, east: str) -> ColumnElement[bool]:
    return ListEntryRow.lng.between(bindparam(west, type_=Float()), bindparam(east, type_=Float()))


def _conditions(number: int, shape: FilterShape, *, price: Any) -> list[ColumnElement[bool]]:
    scope = bindparam(f"scope{number}", type_=ListEntryRow.scope.type)
    conditions: list[ColumnElement[bool]] = [ListEntryRow.scope == scope]
    if "name" in shape.asked:
        phrase = NamePhraseRow.phrase
        called = select(NamePhraseRow.provider_id).where(phrase >= _NAME, phrase < after_prefix(_NAME))
        conditions.append(ListEntryRow.provider_id.in_(called))
    if "min_rating" in shape.asked:
        conditions.append(ListEntryRow.rating_avg >= MIN_RATING)
    if "free_on" in shape.asked:
        conditions.append(_is_free(number, shape))
    return conditions + _price_conditions(shape, price)


def _price_conditions(shape: FilterShape, price: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "min_minor" in shape.asked:
        conditions.append(price >= MIN_MINOR)
    if "max_minor" in shape.asked:
        conditions.append(price <= MAX_MINOR)
    elif "min_minor" in shape.asked:
        conditions.append(price < NO_PRICE_SORTS_AS)
    return conditions


def lies_in_circle() -> ColumnElement[bool]:
    return chord_squared() <= bindparam("edge", type_=Float())


def chord_squared() -> ColumnElement[float | None]:
    """Return how far an entry is from the middle of the circle, as the square of the straight line."""
    columns = {"x": ListEntryRow.x, "y": ListEntryRow.y, "z": ListEntryRow.z}
    x, y, z = (column - bindparam(name, type_=Float()) for name, column in columns.items())
    return x * x + y * y + z * z


def _is_free(number: int, shape: FilterShape) -> ColumnElement[bool]:
    if not shape.scopes[number].is_in_time:
        return false()  # short-circuit, else the sub-query runs for every entry
    # The bits of the entry skip most closed providers; the sub-query decides about the others.
    can_be = can_be_open(ListEntryRow.open_days)
    if not shape.is_by_the_clock:
        return and_(can_be, _has_start())
    return and_(can_be, has_start_from(first_start(number), provider_id=_PROVIDER_ID))


def can_be_open(open_days: Any) -> ColumnElement[bool]:
    is_open: ColumnElement[bool] = open_days.bitwise_and(bindparam("any_bit", type_=BigInteger())) != 0
    return is_open


def _has_start() -> ColumnElement[bool]:
    """Return whether there is any start, which takes no look at the week."""
    mine = (DayRow.provider_id == ListEntryRow.provider_id, DayRow.day == _DAY)
    of_that_day = select(DayRow.last_start).where(*mine).scalar_subquery()
    is_usually_open = ListEntryRow.open_days.bitwise_and(bindparam("weekday_bit", type_=BigInteger())) != 0
    return func.coalesce(of_that_day, case((is_usually_open, ANY_START), else_=CLOSED)) >= ANY_START


def has_start_from(earliest: ColumnElement[str], *, provider_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return whether the last start of the date is late enough, as the week or that very date says.

    Args:
        earliest: As `first_start` has it.
        provider_id: Of another query.
    """
    of_week = func.substr(WeekRow.last_starts, bindparam("place_in_week", type_=Integer()), len(ANY_START))
    in_time = case((func.coalesce(DayRow.last_start, of_week) >= earliest, 1), else_=0)
    is_that_day = (DayRow.provider_id == WeekRow.provider_id) & (DayRow.day == _DAY)
    # Correlated sub-query: a join would scan all weeks and lose the index order. "More than 0", because PostgreSQL
    # estimates "= 1" of an unknown value as so rare that it would read all weeks.
    return (
        select(in_time)
        .select_from(WeekRow)
        .join(DayRow, is_that_day, isouter=True)
        .where(WeekRow.provider_id == provider_id)
        .scalar_subquery()
    ) > 0


def first_start(number: int) -> ColumnElement[str]:
    """Return the first start that is in time where the provider of a week is.

    Args:
        number: Of a list of the provider's vertical, among the scopes of the filter.
    """
    usual = bindparam(f"usual_start{number}", type_=Text())
    return func.coalesce(looked_up(f"first_starts{number}", WeekRow.timezone), usual)
