"""What the packs mean: spellings of categories, and the bounds of a pack."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import BookingRules, Category, PartySize, Vertical, normalise

PACKS = {pack.key: pack for pack in load_verticals()}


@pytest.mark.parametrize(
    "word", ["dj", "Dj", "DJ ", " dJ", "Disc Jockey", "disc-jockey", "DISC__JOCKEY", "\uff24\uff2a"]
)
def test_every_spelling_of_a_category_finds_it(word: str) -> None:
    found = PACKS["artists"].find_category(word)
    assert found is not None
    assert found.slug == "dj"


@pytest.mark.parametrize("word", ["", "  ", "plumber", "d j x", "%", "dj'; drop table"])
def test_an_unknown_word_finds_no_category(word: str) -> None:
    assert PACKS["artists"].find_category(word) is None


@given(st.text())
def test_normalising_twice_changes_nothing_more(word: str) -> None:
    assert normalise(normalise(word)) == normalise(word)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_slug_name_and_aliases_lead_to_their_category(pack: Vertical) -> None:
    assert pack.categories
    for category in pack.categories:
        for word in (category.slug, category.name, category.name.upper(), *category.aliases):
            assert pack.find_category(word) is category


def a_pack(**changes: Any) -> dict[str, Any]:
    return PACKS["artists"].model_dump() | changes


def test_a_word_that_means_two_categories_is_refused() -> None:
    categories = [
        Category(slug="dj", name="DJ", description="Plays."),
        Category(slug="host", name="Host", description="Talks.", aliases=("DJ",)),
    ]
    with pytest.raises(ValidationError, match="'dj' means both 'dj' and 'host'; take it from one"):
        Vertical.model_validate(a_pack(categories=categories))


def test_a_category_listed_twice_is_refused() -> None:
    twice = [Category(slug="dj", name="DJ", description="Plays.")] * 2
    with pytest.raises(ValidationError, match="two categories have the same slug"):
        Vertical.model_validate(a_pack(categories=twice))


def test_a_fact_checked_twice_is_refused() -> None:
    item = {"key": "has_bio", "text": "Write a few lines."}
    with pytest.raises(ValidationError, match="a key appears twice"):
        Vertical.model_validate(a_pack(checklist=[item, item]))


def test_party_size_bounds_are_ordered() -> None:
    with pytest.raises(ValidationError, match="minimum 5 exceeds maximum 4"):
        PartySize(minimum=5, maximum=4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer_due_hours": 121},
        {"slot_minutes": 0},
        {"modes": []},
        {"modes": ["later"]},
        {"places": ["moon"]},
        {"duration_minutes": [60, 30]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_booking_rules_outside_their_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BookingRules.model_validate(PACKS["artists"].booking.model_dump() | wrong)


def test_an_answer_is_due_in_a_day_where_a_pack_does_not_say() -> None:
    rules = PACKS["artists"].booking.model_dump(exclude={"answer_due_hours"})
    assert BookingRules.model_validate(rules).answer_due_hours == 24


def test_price_bands_ascend() -> None:
    with pytest.raises(ValidationError, match="300 stands before 200"):
        Vertical.model_validate(a_pack(prices={"per": "per show", "bands": [300, 200]}))


def every_model(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from every_model(field.annotation)
    for part in get_args(annotation):
        yield from every_model(part)


@pytest.mark.parametrize("model", sorted(set(every_model(Vertical)), key=repr))
def test_every_field_of_a_pack_is_described_and_no_other_is_accepted(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("extra") == "forbid"
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_price_per_person_needs_a_number_of_people() -> None:
    rules = PACKS["chefs"].booking.model_dump()
    with pytest.raises(ValidationError, match="people are not counted; add party_size"):
        BookingRules.model_validate(rules | {"party_size": None})


@pytest.mark.parametrize("name", ["places", "price_models", "modes"])
def test_choice_listed_twice_is_refused(name: str) -> None:
    rules = PACKS["chefs"].booking.model_dump()
    with pytest.raises(ValidationError, match="a choice appears twice; keep one"):
        BookingRules.model_validate(rules | {name: [rules[name][0]] * 2})
