"""The places of providers and circles around a place, in numbers that suit an index and plain arithmetic (ADR 13).

A place is stored as a point of the unit sphere beside its degrees. The straight line between two points grows with the
distance along the ground and needs no trigonometry, which not every SQLite has.
"""

from dataclasses import dataclass
from math import asin, cos, degrees, floor, radians, sin
from typing import Any, Final

from fairground.kernel.distances import EARTH_RADIUS_KM

BANDS_A_DEGREE: Final = 10  # of latitude: a band is 11 km high, and a list of them stays short for any radius
_POLE: Final = 90.0  # degrees of latitude
_DATE_LINE: Final = 180.0  # degrees of longitude


def place_values(lat: float | None, lng: float | None) -> dict[str, Any]:
    """Return the columns of a provider that follow from its coordinates."""
    if lat is None or lng is None:
        return dict.fromkeys(("lat_band", "x", "y", "z"))
    x, y, z = point(lat, lng)
    return {"lat_band": lat_band(lat), "x": x, "y": y, "z": z}


def point(lat: float, lng: float) -> tuple[float, float, float]:
    """Return the place as a point of the unit sphere."""
    across = cos(radians(lat))
    return across * cos(radians(lng)), across * sin(radians(lng)), sin(radians(lat))


def lat_band(lat: float) -> int:
    return floor(lat * BANDS_A_DEGREE)


@dataclass(frozen=True, kw_only=True)
class Circle:
    """All places up to `radius_km` from one."""

    lat: float
    lng: float
    radius_km: float

    @property
    def chord_squared(self) -> float:
        """The square of the straight line to the edge, on the unit sphere."""
        return (2 * sin(self._angle / 2)) ** 2

    @property
    def lat_bands(self) -> list[int]:
        """Every band that the circle touches."""
        reach = degrees(self._angle)
        return list(range(lat_band(max(self.lat - reach, -_POLE)), lat_band(min(self.lat + reach, _POLE)) + 1))

    @property
    def lng_ranges(self) -> list[tuple[float, float]]:
        """The longitudes of the circle: one range, or two where it crosses the date line."""
        reach = degrees(self._angle)
        if abs(self.lat) + reach >= _POLE:
            return [(-_DATE_LINE, _DATE_LINE)]
        width = degrees(asin(min(1.0, sin(self._angle) / cos(radians(self.lat)))))
        west, east = self.lng - width, self.lng + width
        if west < -_DATE_LINE:
            return [(-_DATE_LINE, east), (west + 2 * _DATE_LINE, _DATE_LINE)]
        if east > _DATE_LINE:
            return [(west, _DATE_LINE), (-_DATE_LINE, east - 2 * _DATE_LINE)]
        return [(west, east)]

    @property
    def _angle(self) -> float:
        # Rounding must not lose a provider at the edge.
        return (self.radius_km / EARTH_RADIUS_KM) * (1 + 1e-12)
