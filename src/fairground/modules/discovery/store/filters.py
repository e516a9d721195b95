"""The filter of a list or search: its shape, which decides how a statement reads, its values, and its conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import BigInteger, Float, Integer, Text, and_, bindparam, false, literal, or_, select
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from fairground.modules.discovery.domain.availability_summary import ANY_START, TOO_SOON, FreeOn
from fairground.modules.discovery.domain.places import Circle, point
from fairground.modules.discovery.store.availability_summaries import (
    can_be_open,
    first_start,
    has_own_notice,
    has_start,
    has_start_from,
)
from fairground.modules.discovery.tables import (
    ALL_PROVIDERS_SCOPE,
    NO_PRICE_SORTS_AS,
    ListEntryRow,
    LocationPhraseRow,
    NamePhraseRow,
)
from fairground.platform.db.types import after_prefix

LIKE_ESCAPE: Final = "/"
MIN_MINOR: Final = bindparam("min_minor", type_=BigInteger())
MAX_MINOR: Final = bindparam("max_minor", type_=BigInteger())
MIN_RATING: Final = bindparam("min_rating", type_=Float())
LOCATION: Final = bindparam("location", type_=Text())
_NAME: Final = bindparam("name", type_=Text())
_PROVIDER_ID: Final[Any] = ListEntryRow.provider_id
_PLAIN: Final = ("name", "location", "min_minor", "max_minor", "min_rating")


class ScopeKind(Enum):
    ALL = "all providers"
    VERTICAL = "a vertical"
    CATEGORY = "a category of a vertical"


@dataclass(frozen=True, kw_only=True)
class FilterShape:
    """A filter without its values, for which a statement is built once; `ListFilter.parameters` has the values."""

    scopes: tuple[ScopeKind, ...]
    bookable: frozenset[int]
    """Numbers of the scopes in which some start of the date can still be booked; of all scopes without a date."""
    by_own_notice: frozenset[int]
    """Numbers of other scopes, in which a provider with a shorter notice of their own can still be booked."""
    fields: frozenset[str]
    """The fields of `ListFilter` that are set."""
    is_by_the_clock: bool
    """Whether the starts of the date are in time only from some hour on."""
    lng_ranges: int
    """Number of longitude ranges of the circle."""


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """Which providers are listed; a field that is None does not filter."""

    scopes: Sequence[str]
    """Lists without a common provider: a provider has one vertical, and a word means at most one category of each."""
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
        """Whether anything beside the scopes filters."""
        return bool(self._fields_set)

    @property
    def shape(self) -> FilterShape:
        return FilterShape(
            scopes=tuple(map(_kind_of, self.scopes)),
            bookable=frozenset(number for number, scope in enumerate(self.scopes) if self._is_bookable(scope)),
            by_own_notice=frozenset(
                number for number, scope in enumerate(self.scopes) if self._is_bookable_by_own_notice(scope)
            ),
            fields=self._fields_set,
            is_by_the_clock=self.free_on is not None and not self.free_on.are_all,
            lng_ranges=len(self.near.lng_ranges) if self.near else 0,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The values for a statement of this shape; some statements of it do not take all.

        No name ends like the ones that SQLAlchemy makes up for a literal, `scope_1`: a value would take its place.
        """
        plain = ((name, getattr(self, name)) for name in _PLAIN)
        values: dict[str, Any] = {name: value for name, value in plain if value is not None}
        for number, scope in enumerate(self.scopes):
            values |= _scope_parameters(scope, number)
        if self.free_on is not None:
            values |= _date_parameters(self.free_on, self.scopes)
        if self.near is not None:
            values |= _circle_parameters(self.near)
        return values

    @property
    def _fields_set(self) -> frozenset[str]:
        names = (*_PLAIN, "free_on", "near")
        return frozenset(name for name in names if getattr(self, name) is not None)

    def _is_bookable(self, scope: str) -> bool:
        if self.free_on is None or scope == ALL_PROVIDERS_SCOPE:
            return True
        return not self.free_on.first_starts[_vertical_of(scope)].are_none

    def _is_bookable_by_own_notice(self, scope: str) -> bool:
        if self.free_on is None or self._is_bookable(scope) or self.free_on.has_passed:
            return False
        return not self.free_on.first_starts[_vertical_of(scope)].are_too_far


def _kind_of(scope: str) -> ScopeKind:
    if scope == ALL_PROVIDERS_SCOPE:
        return ScopeKind.ALL
    return ScopeKind.CATEGORY if "/" in scope else ScopeKind.VERTICAL


def _vertical_of(scope: str) -> str:
    return scope.partition("/")[0]


def _scope_parameters(scope: str, number: int) -> dict[str, Any]:
    vertical, _, category = scope.partition("/")
    return {
        f"scope{number}": scope,
        f"vertical{number}": vertical,
        # Slugs have no other character that LIKE reads.
        f"category{number}": f" {category} ".replace("_", f"{LIKE_ESCAPE}_"),
    }


def _date_parameters(free: FreeOn, scopes: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "day": free.day,
        "place_in_week": 4 * free.day.weekday() + 1,
        "weekday_bit": free.weekday_bit,
        "any_bit": free.any_bit,
        "now_minutes": free.now_minutes,
        "midnights": free.midnights_json,
    }
    if free.are_all:
        return values
    for number, scope in enumerate(scopes):
        starts = free.first_starts[_vertical_of(scope)]
        values |= {f"usual_start{number}": starts.usual, f"first_starts{number}": starts.zones_json}
    return values


def _circle_parameters(circle: Circle) -> dict[str, Any]:
    x, y, z = point(circle.lat, circle.lng)
    values: dict[str, Any] = {"x": x, "y": y, "z": z, "edge": circle.chord_squared, "lat_bands": circle.lat_bands}
    for number, (west, east) in enumerate(circle.lng_ranges):
        values |= {f"west{number}": west, f"east{number}": east}
    return values


def select_entries_in_order(number: int, shape: FilterShape, *, price: Any) -> Select[Any]:
    """Select the matching entries of a list in the order of a sort, whose index has all columns.

    Args:
        number: Of the list, among the scopes of the filter.
        price: The column of prices, or an expression in its place.
    """
    conditions = _entry_conditions(number, shape, price=price)
    if "location" in shape.fields:
        # As a boolean expression, because PostgreSQL would turn it into a join, which loses the index order.
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION).is_(True))
    return select(ListEntryRow).where(*conditions)


def select_entries_by_location(number: int, shape: FilterShape, *, price: Any) -> Select[Any]:
    """Select the matching entries of a list by location or circle, whose index has all columns."""
    conditions = _entry_conditions(number, shape, price=price)
    if "near" in shape.fields:
        # The bands and longitudes are a range of the index for each band; the exact distance decides among those.
        ranges = [_lng_between(f"west{each}", f"east{each}") for each in range(shape.lng_ranges)]
        lat_bands = bindparam("lat_bands", type_=Integer(), expanding=True)
        conditions += [ListEntryRow.lat_band.in_(lat_bands), or_(*ranges), is_in_circle()]
    if "location" in shape.fields:
        conditions.append(is_at(ListEntryRow.folded_location, LOCATION))
    return select(ListEntryRow).where(*conditions)


def _lng_between(west: str, east: str) -> ColumnElement[bool]:
    return ListEntryRow.lng.between(bindparam(west, type_=Float()), bindparam(east, type_=Float()))


def _entry_conditions(number: int, shape: FilterShape, *, price: Any) -> list[ColumnElement[bool]]:
    scope = bindparam(f"scope{number}", type_=ListEntryRow.scope.type)
    conditions: list[ColumnElement[bool]] = [ListEntryRow.scope == scope]
    if "name" in shape.fields:
        phrase = NamePhraseRow.phrase
        called = select(NamePhraseRow.provider_id).where(phrase >= _NAME, phrase < after_prefix(_NAME))
        conditions.append(ListEntryRow.provider_id.in_(called))
    if "min_rating" in shape.fields:
        conditions.append(ListEntryRow.rating_avg >= MIN_RATING)
    if "free_on" in shape.fields:
        conditions.append(_is_free(number, shape))
    return conditions + _price_conditions(shape, price)


def _price_conditions(shape: FilterShape, price: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "min_minor" in shape.fields:
        conditions.append(price >= MIN_MINOR)
    if "max_minor" in shape.fields:
        conditions.append(price <= MAX_MINOR)
    elif "min_minor" in shape.fields:
        conditions.append(price < NO_PRICE_SORTS_AS)
    return conditions


def _is_free(number: int, shape: FilterShape) -> ColumnElement[bool]:
    # The bits of the entry skip most closed providers; the sub-query decides about the others.
    can_be = can_be_open(ListEntryRow.open_days)
    has_own = has_own_notice(ListEntryRow.open_days)
    if number in shape.by_own_notice:
        return and_(has_own, can_be, has_start_from(literal(TOO_SOON), provider_id=_PROVIDER_ID))
    if number not in shape.bookable:
        return false()  # short-circuit, else the sub-query runs for every entry
    if not shape.is_by_the_clock:
        is_in_time = has_start_from(literal(ANY_START), provider_id=_PROVIDER_ID)
        return and_(can_be, or_(and_(~has_own, has_start()), and_(has_own, is_in_time)))
    return and_(can_be, has_start_from(first_start(number), provider_id=_PROVIDER_ID))


def is_at(folded_location: Any, part: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a location has a part; both without spaces, as `squeezed` writes them."""
    phrase = LocationPhraseRow.phrase
    # A location has a text in it if one of its endings begins with it: a range of the primary key, on both databases.
    found = select(LocationPhraseRow.folded_location).where(phrase >= part, phrase < after_prefix(part))
    is_found: ColumnElement[bool] = folded_location.in_(found)
    return is_found


def is_in_circle() -> ColumnElement[bool]:
    return chord_squared() <= bindparam("edge", type_=Float())


def chord_squared() -> ColumnElement[float | None]:
    """Return how far an entry is from the middle of the circle, as the square of the straight line."""
    columns = {"x": ListEntryRow.x, "y": ListEntryRow.y, "z": ListEntryRow.z}
    x, y, z = (column - bindparam(name, type_=Float()) for name, column in columns.items())
    return x * x + y * y + z * z
