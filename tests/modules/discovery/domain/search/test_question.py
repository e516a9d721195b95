import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.kernel.ids import uuid7
from fairground.modules.discovery.domain.search.cities import NAMES_OF_CITY
from fairground.modules.discovery.domain.search.documents import (
    SERVICES_MAX_WORDS,
    TEXT_MAX_WORDS,
    TOKEN_MAX_LENGTH,
    Document,
    describe,
    split,
    tokens,
)
from fairground.modules.discovery.domain.search.question import (
    MEANINGS_MAX,
    WORDS_MAX,
    CategoryWords,
    Condition,
    Question,
    tiers,
)
from fairground.verticals.loader import load_verticals

CATEGORIES = CategoryWords(load_verticals())


def read(text: str) -> Question:
    return Question.read(text, CATEGORIES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DJ Løkka & Søn", ["dj", "lokka", "son"]),
        ("Чайка-Квартет", ["чаика", "квартет"]),
        ("ΜΠΟΥΖΟΎΚΙ", ["μπουζουκι"]),
        ("dj東京トリオ 2", ["dj", "東京トリオ", "2"]),
        ("\x00'\"()*:&|<->", []),
        ("I\u015f\u0131l", ["isil"]),
    ],
)
def test_text_is_split_into_folded_words(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_unspaced_word_is_kept_as_its_pairs() -> None:
    assert list(tokens("東京駅")) == ["東京", "京駅", "駅"]
    assert list(tokens("tokyo")) == ["tokyo"]
    assert list(tokens("x" * 99)) == ["x" * TOKEN_MAX_LENGTH]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("a band for a wedding in Oslo", ["band", "wedding", "oslo"]),
        ("for the", ["for", "the"]),
        ("jazz JAZZ Jázz", ["jazz"]),
        (" ".join(f"word{number}" for number in range(20)), [f"word{number}" for number in range(WORDS_MAX)]),
    ],
)
def test_a_question_has_few_words_and_those_that_say_something(typed: str, words: list[str]) -> None:
    assert [word.text for word in read(typed).words] == words


def test_words_together_name_a_category_or_a_city() -> None:
    disc, jockey, new, york = read("disc jockey new york").words
    assert disc.called == jockey.called == {"dj"}
    assert ("nyc",) in new.cities
    assert new.cities == york.cities
    [vegan] = read("vegan").words
    assert vegan.called == {"plant_based"}
    [wedding] = read("wedding").words
    assert (wedding.called, "photographer" in wedding.hinted) == (frozenset(), True)


def test_every_name_of_a_city_leads_to_all_of_them() -> None:
    assert ("munchen",) in NAMES_OF_CITY["munich",]
    assert NAMES_OF_CITY["munchen",] == NAMES_OF_CITY["munich",]
    assert all(names and all(part for name in names for part in name) for names in NAMES_OF_CITY.values())


def test_a_correction_keeps_the_nearest_meanings() -> None:
    near = {f"pianist{letter}": 80 for letter in "abcdefghijklmnop"} | {"pianista": 90}
    [word] = read("pianst").corrected({"pianst": near}, CATEGORIES).words
    assert len(word.meant) == MEANINGS_MAX
    assert next(iter(word.meant)) == "pianista"
    assert word.meant_categories["pianist"] == (86, "pianist")
    question = read("pianst oslo")
    assert question.corrected({}, CATEGORIES) == question


@given(st.text(max_size=200))
def test_tokens_hold_nothing_that_a_query_language_reads(typed: str) -> None:
    for condition in tiers(read(typed)):
        for any_of in condition:
            assert any_of
            for token in (token.removesuffix("*") for all_of in any_of for token in all_of):
                assert re.fullmatch(r"[a-z0-9_]*", "".join(filter(str.isascii, token))), token
                assert token == "".join(token.split()) != "", token


@given(st.text(max_size=300))
def test_provider_with_the_name_that_was_typed_is_found(text: str) -> None:
    document, question = _document(text), read(text)
    if question.words:
        assert all(_answers(document, condition) for condition in tiers(question))


def _document(name: str, **changes: str) -> Document:
    return describe(
        provider_id=uuid7(),
        vertical="artists",
        price_from_minor=None,
        business_name=name,
        location="",
        categories=[],
        services=[changes.get("services", "")],
        texts=[None, changes.get("text", "")],
        book_count=0,
        rating_avg=0.0,
        open_days=0,
    )


def _answers(document: Document, condition: list[list[list[str]]]) -> bool:
    """Return what an index would, by looking at every token."""
    there = document.words.split()

    def has(token: str) -> bool:
        return any(each.startswith(token[:-1]) if token.endswith("*") else each == token for each in there)

    return all(any(all(map(has, all_of)) for all_of in any_of) for any_of in condition)


def test_a_document_is_bounded_and_texts_are_not_spelled_for() -> None:
    long = " ".join(f"word{number}" for number in range(2_000))
    document = _document("Zofia", services=long, text=long)
    kept = document.words.split()
    assert sum(token.startswith("s") for token in kept) == SERVICES_MAX_WORDS
    assert sum(token.startswith("t") for token in kept) == TEXT_MAX_WORDS
    assert _document("Ada of Oslo 東京東京 bar", text="Nightingale").spelled == {"oslo"}


def _finds(any_of: list[list[str]], tokens: list[str]) -> bool:
    """Return whether a document with these tokens has one of the alternatives."""
    return any(all(_has(tokens, required) for required in all_of) for all_of in any_of)


def _has(tokens: list[str], required: str) -> bool:
    if required.endswith("*"):
        return any(token.startswith(required[:-1]) for token in tokens)
    return required in tokens


@pytest.mark.parametrize(
    "typed",
    ["a", "jo", "jazz trio", "DJ Løkka in oslo", "東京", "京", "東京ジャズ oslo", "สมชาย", "thai food", "ny", "Jörg 3"],
)
@pytest.mark.parametrize("is_corrected", [False, True])
def test_every_tier_is_wider_than_the_one_before(typed: str, *, is_corrected: bool) -> None:
    question = read(typed)
    if is_corrected:
        question = question.corrected({word.text: {"jazz": 80, "東京": 70} for word in question.words}, CATEGORIES)
    ordered = tiers(question)
    assert len(ordered) > 1
    for narrow, wide in pairwise(ordered):
        assert not _outside(narrow, wide)


def _outside(narrow: Condition, wide: Condition) -> list[list[str]]:
    """Return what a document can have of a word that is enough for one condition and not for the other."""
    return [
        tokens
        for any_of, any_of_wide in zip(narrow, wide, strict=True)
        for all_of in any_of
        if not _finds(any_of_wide, tokens := [token.rstrip("*") for token in all_of])
    ]


def test_a_condition_that_is_not_wider_is_noticed() -> None:
    assert _outside([[["na*"], ["pb"]]], [[["na*"]]]) == [["pb"]]
