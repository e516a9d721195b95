from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.discovery import Correction, FacetCount
from fairground.modules.discovery.domain.prices import PriceScale
from fairground.modules.discovery.domain.search.categories import CategoryWords
from fairground.modules.discovery.domain.search.question import Question
from fairground.modules.discovery.domain.search.ranking import Candidate, doubtful, points, ranked
from fairground.modules.discovery.domain.search.results import corrections, count_facets
from fairground.verticals.loader import load_verticals

VERTICALS = load_verticals()
CATEGORIES = CategoryWords(VERTICALS)


def asked(typed: str, **meant: dict[str, int]) -> Question:
    return Question.read(typed, CATEGORIES).corrected(meant, CATEGORIES)


def somebody(number: int = 0, **changes: Any) -> Candidate:
    usual: dict[str, Any] = {
        "provider_id": UUID(int=number),
        "name": "somebody",
        "place": "nowhere",
        "categories": "speaker",
        "services": "talk",
        "book_count": 0,
        "rating_avg": 0.0,
        "vertical": "artists",
        "location": "Nowhere",
        "price_from_minor": None,
    }
    return Candidate(**(usual | changes))


@pytest.mark.parametrize(
    "typed",
    ["jazz"],
)
def test_where_and_how_a_word_is_found_decides(typed: str) -> None:
    misspelled = asked(typed, **{typed: {"jazzy": 80, "jass": 75}})
    best_first = [
        somebody(name="jazz"),
        somebody(name="jazz trio"),
        somebody(name="the jazz trio"),
        somebody(name="jazzmen of oslo"),
        somebody(categories="jazz_ensemble"),
        somebody(name="the jazzmen"),
        somebody(services="dinner jazz"),
        somebody(services="jazzdance"),
        somebody(),  # found in its texts
        somebody(name="big jass"),
        somebody(services="jass evening"),
    ]
    assert [points(misspelled, candidate) for candidate in best_first] == [
        150,
        120,
        100,
        90,
        80,
        70,
        60,
        42,
        30,
        15,
        9,
    ]


def test_a_place_is_found_by_any_name_of_the_city() -> None:
    munich = asked("munich")
    assert points(munich, somebody(place="munchen germany")) == 80
    assert points(munich, somebody(place="munichhausen")) == 56


def test_words_add_up_and_their_order_only_matters_to_the_name() -> None:
    oslo_jazz, jazz_oslo = asked("oslo jazz"), asked("jazz oslo")
    there = somebody(categories="jazz_ensemble", place="oslo norway")
    assert points(oslo_jazz, there) == points(jazz_oslo, there) == 160
    named = somebody(name="oslo jazz band")
    assert points(oslo_jazz, named) - points(jazz_oslo, named) == 20


def test_ties_are_broken_by_bookings_then_rating_then_id() -> None:
    question = asked("talk")
    first = somebody(9, services="talk", book_count=3)
    second = somebody(8, services="talk", book_count=2, rating_avg=4.5)
    third = somebody(1, services="talk", book_count=2, rating_avg=4.4)
    fourth = somebody(2, services="talk", book_count=2, rating_avg=4.4)
    assert ranked(question, [fourth, second, third, first]) == [first, second, third, fourth]


def test_unspaced_words_are_found_inside_names() -> None:
    assert points(asked("東京"), somebody(name="東京")) == 150
    assert points(asked("東京"), somebody(name="東京トリオ")) == 90
    assert points(asked("トリオ"), somebody(name="東京トリオ")) == 70


def test_a_word_is_doubtful_while_nobody_has_it_whole() -> None:
    # A number is no misspelling, and neither is what names a category or a city.
    question = asked("violon hamar oslo vocalist 4711")
    assert doubtful(question, []) == ["violon", "hamar"]
    assert doubtful(question, [somebody(name="violoncello", place="hamar norway")]) == ["violon"]
    assert doubtful(question, [somebody(name="violon", place="hamar")]) == []


def test_a_correction_is_told_as_the_result_writes_it() -> None:
    question = asked("grunerloka pianst", grunerloka={"grunerlokka": 90, "other": 90}, pianst={})
    best = somebody(place="grunerlokka oslo", categories="pianist")
    assert corrections(question, best, shown=["Grünerløkka, Oslo"]) == [
        Correction(typed="grunerloka", meant="Grünerløkka"),
        Correction(typed="pianst", meant="pianist"),
    ]


def test_facets_count_what_a_search_can_be_narrowed_to() -> None:
    found = [
        somebody(categories="dj band", location="Oslo, Norway", rating_avg=4.6, price_from_minor=10_000),
        somebody(categories="dj", location="Oslo", rating_avg=4.0, price_from_minor=9_999),
        somebody(categories="thai", location="", vertical="chefs"),
    ]
    facets = count_facets(found, prices=PriceScale(VERTICALS, currency="EUR"), vertical=None)
    assert facets.verticals == [FacetCount(value="artists", count=2), FacetCount(value="chefs", count=1)]
    assert facets.categories == [
        FacetCount(value="dj", count=2),
        FacetCount(value="band", count=1),
        FacetCount(value="thai", count=1),
    ]
    assert facets.places == [FacetCount(value="Oslo", count=2)]
    assert facets.ratings == [
        FacetCount(value="4.5", count=1),
        FacetCount(value="4", count=2),
        FacetCount(value="3", count=2),
    ]
    assert [(band.min_price, band.count) for band in facets.prices if band.count] == [(50, 1), (100, 1)]
