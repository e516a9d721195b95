"""Whoever a narrow tier finds, the wider ones would find too: they leave out exactly those."""

from itertools import pairwise

import pytest

from fairground.modules.discovery.domain.search.categories import CategoryWords
from fairground.modules.discovery.domain.search.matching import Condition, tiers
from fairground.modules.discovery.domain.search.question import Question
from fairground.verticals.loader import load_verticals

WORDS = CategoryWords(load_verticals())


def finds(any_of: list[list[str]], tokens: list[str]) -> bool:
    """Return whether a document with these tokens has one of the alternatives."""
    return any(all(_has(tokens, wanted) for wanted in all_of) for all_of in any_of)


def _has(tokens: list[str], wanted: str) -> bool:
    if wanted.endswith("*"):
        return any(token.startswith(wanted[:-1]) for token in tokens)
    return wanted in tokens


@pytest.mark.parametrize(
    "typed",
    ["a", "jo", "jazz trio", "DJ Løkka in oslo", "東京", "京", "東京ジャズ oslo", "สมชาย", "thai food", "ny", "Jörg 3"],
)
@pytest.mark.parametrize("is_corrected", [False, True])
def test_every_tier_is_wider_than_the_one_before(typed: str, *, is_corrected: bool) -> None:
    question = Question.read(typed, WORDS)
    if is_corrected:
        question = question.corrected({word.text: {"jazz": 80, "東京": 70} for word in question.words}, WORDS)
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
        if not finds(any_of_wide, tokens := [token.rstrip("*") for token in all_of])
    ]


def test_a_condition_that_is_not_wider_is_noticed() -> None:
    assert _outside([[["na*"], ["pb"]]], [[["na*"]]]) == [["pb"]]
