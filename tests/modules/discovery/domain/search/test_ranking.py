from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.discovery import Correction, FacetCount
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.question import CategoryWords, Question
from fairground.modules.discovery.domain.search.ranking import (
    Candidate,
    corrections,
    count_facets,
    doubtful,
    points,
    ranked,
)
from fairground.verticals.loader import load_verticals

VERTICALS = load_verticals()
CATEGORIES = CategoryWords(VERTICALS)


def asked(typed: str, **meant: dict[str, int]) -> Question:
    return Question.read(typed, CATEGORIES).corrected(meant, CATEGORIES)


def a_candidate(number: int = 0, **changes: Any) -> Candidate:
    usual: dict[str, Any] = {
        "provider_id": UUID(int=number),
        "name": "anybody",
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
        a_candidate(name="jazz"),
        a_candidate(name="jazz trio"),
        a_candidate(name="the jazz trio"),
        a_candidate(name="jazzmen of oslo"),
        a_candidate(categories="jazz_ensemble"),
        a_candidate(name="the jazzmen"),
        a_candidate(services="dinner jazz"),
        a_candidate(services="jazzdance"),
        a_candidate(),  # found in its texts
        a_candidate(name="big jass"),
        a_candidate(services="jass evening"),
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
    assert points(munich, a_candidate(place="munchen germany")) == 80
    assert points(munich, a_candidate(place="munichhausen")) == 56


def test_words_add_up_and_their_order_only_matters_to_the_name() -> None:
    oslo_jazz, jazz_oslo = asked("oslo jazz"), asked("jazz oslo")
    there = a_candidate(categories="jazz_ensemble", place="oslo norway")
    assert points(oslo_jazz, there) == points(jazz_oslo, there) == 160
    named = a_candidate(name="oslo jazz band")
    assert points(oslo_jazz, named) - points(jazz_oslo, named) == 20


def test_ties_are_broken_by_bookings_then_rating_then_id() -> None:
    question = asked("talk")
    first = a_candidate(9, services="talk", book_count=3)
    second = a_candidate(8, services="talk", book_count=2, rating_avg=4.5)
    third = a_candidate(1, services="talk", book_count=2, rating_avg=4.4)
    fourth = a_candidate(2, services="talk", book_count=2, rating_avg=4.4)
    assert ranked(question, [fourth, second, third, first]) == [first, second, third, fourth]


def test_unspaced_words_are_found_inside_names() -> None:
    assert points(asked("東京"), a_candidate(name="東京")) == 150
    assert points(asked("東京"), a_candidate(name="東京トリオ")) == 90
    assert points(asked("トリオ"), a_candidate(name="東京トリオ")) == 70


def test_word_is_doubtful_while_no_candidate_has_it_whole() -> None:
    # A number is no misspelling, and neither is what names a category or a city.
    question = asked("violon hamar oslo vocalist 4711")
    assert doubtful(question, []) == ["violon", "hamar"]
    assert doubtful(question, [a_candidate(name="violoncello", place="hamar norway")]) == ["violon"]
    assert doubtful(question, [a_candidate(name="violon", place="hamar")]) == []


def test_correction_is_written_as_the_result_has_it() -> None:
    question = asked("grunerloka pianst", grunerloka={"grunerlokka": 90, "other": 90}, pianst={})
    best = a_candidate(place="grunerlokka oslo", categories="pianist")
    assert corrections(question, best, shown=["Grünerløkka, Oslo"]) == [
        Correction(typed="grunerloka", meant="Grünerløkka"),
        Correction(typed="pianst", meant="pianist"),
    ]


def test_facets_count_what_a_search_can_be_narrowed_to() -> None:
    found = [
        a_candidate(categories="dj band", location="Oslo, Norway", rating_avg=4.6, price_from_minor=10_000),
        a_candidate(categories="dj", location="Oslo", rating_avg=4.0, price_from_minor=9_999),
        a_candidate(categories="thai", location="", vertical="chefs"),
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
