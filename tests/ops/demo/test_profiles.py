"""Names and initials of the demo's people and businesses."""

from random import Random

import pytest

from fairground.ops.demo.profiles import Namer, initials
from fairground.ops.demo.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Greta Hofer", "GH"),
        ("The Amber Tides", "AT"),
        ("DJ Lena", "L"),
        ("Greta Hofer, voice", "GH"),
        ("Mert draws", "M"),
        ("Smith & Family Sound & Light", "SL"),
        ("Élise y Brasa", "ÉB"),
        ("nora", "N"),
    ],
)
def test_initials_are_one_or_two_capitals(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_name_that_is_taken_is_numbered() -> None:
    vocabulary = load_vocabulary()
    namer, words, city = Namer(vocabulary), vocabulary.verticals["tutors"], vocabulary.cities[0]
    drawn = [
        namer.name_business(Random(1), ["{given} {family}"], words=words, person=("Greta", "Hofer"), city=city)
        for _ in range(3)
    ]
    assert drawn == ["Greta Hofer", "Greta Hofer No. 2", "Greta Hofer No. 3"]


def test_most_people_bear_a_name_of_their_city() -> None:
    vocabulary = load_vocabulary()
    city = vocabulary.cities[0]
    chance, local = Random(1), vocabulary.names[city.names].given
    drawn = [Namer(vocabulary).draw_person(chance, city=city)[0] for _ in range(200)]
    assert 130 < sum(given in local for given in drawn) < 190
