import random
from math import isclose

import pytest

from fairground.kernel.distances import distance_km
from fairground.modules.discovery.domain.places import Circle, lat_band, place_values, point


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        ((59.9139, 10.7522), (60.3913, 5.3221), 305.1),  # Oslo to Bergen
        ((51.5074, -0.1278), (40.7128, -74.0060), 5570.2),  # London to New York
        ((-17.8, 179.9), (-17.8, -179.9), 21.2),  # across the date line
        ((10.0, 10.0), (10.0, 10.0), 0.0),
        ((0.0, 0.0), (0.0, 180.0), 20015.1),
    ],
)
def test_distances_are_those_of_the_globe(here: tuple[float, float], there: tuple[float, float], km: float) -> None:
    assert distance_km(*here, *there) == pytest.approx(km, abs=0.06)
    assert distance_km(*there, *here) == pytest.approx(km, abs=0.06)


def test_place_in_a_circle_is_in_its_bands_its_longitudes_and_its_chord() -> None:
    chance = random.Random(3)
    inside = 0
    for _ in range(20_000):
        circle = Circle(lat=chance.uniform(-90, 90), lng=chance.uniform(-180, 180), radius_km=chance.uniform(1, 200))
        lat = min(90.0, max(-90.0, circle.lat + chance.uniform(-2, 2)))
        lng = (circle.lng + chance.uniform(-4, 4) + 180) % 360 - 180
        is_inside = distance_km(circle.lat, circle.lng, lat, lng) <= circle.radius_km
        chord = sum((a - b) ** 2 for a, b in zip(point(circle.lat, circle.lng), point(lat, lng), strict=True))
        assert (chord <= circle.chord_squared) == is_inside
        if is_inside:
            inside += 1
            assert lat_band(lat) in circle.lat_bands
            assert any(west <= lng <= east for west, east in circle.lng_ranges)
    assert inside > 1_000


def test_the_widest_circle_takes_few_bands() -> None:
    assert len(Circle(lat=59.9, lng=10.7, radius_km=200).lat_bands) <= 37


def test_who_has_no_coordinates_has_no_place() -> None:
    assert set(place_values(None, None).values()) == {None}
    assert isclose(sum(place_values(59.9, 10.7)[axis] ** 2 for axis in "xyz"), 1)
