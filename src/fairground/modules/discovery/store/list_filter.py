"""The filter of a list, and its shape: what decides how a statement reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from fairground.modules.discovery.domain.availability_summary import FreeOn
from fairground.modules.discovery.domain.places import Circle, point
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE

LIKE_ESCAPE: Final = "/"
_PLAIN: Final = ("name", "location", "min_minor", "max_minor", "min_rating")


class ScopeKind(Enum):
    ALL = "all providers"
    VERTICAL = "a vertical"
    CATEGORY = "a category of a vertical"


class ScopeShape(NamedTuple):
    kind: ScopeKind
    is_in_time: bool
    """Whether any start of the date can still be booked there; True without a date."""


@dataclass(frozen=True, kw_only=True)
class FilterShape:
    """A filter without its values, for which a statement is built once; `ListFilter.parameters` has the values."""

    scopes: tuple[ScopeShape, ...]
    asked: frozenset[str]
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
            scopes=tuple(self._scope_shape(scope) for scope in self.scopes),
            asked=self._fields_set,
            is_by_the_clock=self.free_on is not None and not self.free_on.are_all,
            lng_ranges=len(self.near.lng_ranges) if self.near else 0,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The values for a statement of this shape; some statements of it do not take all.

        No name ends like the ones that SQLAlchemy makes up for a literal, `scope_1`: a value would take its place.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN if name in self._fields_set}
        for number, scope in enumerate(self.scopes):
            values |= _of_scope(scope, number)
        if self.free_on is not None:
            values |= _of_date(self.free_on, self.scopes)
        if self.near is not None:
            values |= _of_circle(self.near)
        return values

    @property
    def _fields_set(self) -> frozenset[str]:
        names = (*_PLAIN, "free_on", "near")
        return frozenset(name for name in names if getattr(self, name) is not None)

    def _scope_shape(self, scope: str) -> ScopeShape:
        if scope == ALL_PROVIDERS_SCOPE:
            return ScopeShape(ScopeKind.ALL, is_in_time=True)
        vertical, _, category = scope.partition("/")
        is_in_time = self.free_on is None or not self.free_on.first_starts[vertical].are_none
        return ScopeShape(ScopeKind.CATEGORY if category else ScopeKind.VERTICAL, is_in_time)


def _of_scope(scope: str, number: int) -> dict[str, Any]:
    vertical, _, category = scope.partition("/")
    return {
        f"scope{number}": scope,
        f"vertical{number}": vertical,
        # Slugs have no other character that LIKE reads.
        f"category{number}": f" {category} ".replace("_", f"{LIKE_ESCAPE}_"),
    }


def _of_date(wanted: FreeOn, scopes: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "day": wanted.day,
        "place_in_week": 4 * wanted.day.weekday() + 1,
        "weekday_bit": wanted.weekday_bit,
        "any_bit": wanted.any_bit,
    }
    if wanted.are_all:
        return values
    for number, scope in enumerate(scopes):
        starts = wanted.first_starts[scope.partition("/")[0]]
        values |= {f"usual_start{number}": starts.usual, f"first_starts{number}": starts.zones_json}
    return values


def _of_circle(wanted: Circle) -> dict[str, Any]:
    x, y, z = point(wanted.lat, wanted.lng)
    values: dict[str, Any] = {"x": x, "y": y, "z": z, "edge": wanted.chord_squared, "lat_bands": wanted.lat_bands}
    for number, (west, east) in enumerate(wanted.lng_ranges):
        values |= {f"west{number}": west, f"east{number}": east}
    return values
