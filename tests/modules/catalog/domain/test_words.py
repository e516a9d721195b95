from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.modules.catalog.domain.words import SLUG_BASE_MAX_LENGTH, fold, phrases, slug_base, slug_candidates


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("DJ Løkka & Søn", "dj lokka son"),
        ("  O'Neil’s_Bar ", "oneils bar"),
        ("Café—Ægir", "cafe aegir"),
        ("Straße İstanbul", "strasse istanbul"),
        ("東京 2", "東京 2"),
        ("\N{MATHEMATICAL BOLD CAPITAL A}\N{CIRCLED LATIN CAPITAL LETTER B}", "ab"),
        ("\x00 !? %", ""),
    ],
)
def test_folding_leaves_the_words_alone(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5), st.text("abc ", max_size=5))
def test_a_phrase_begins_with_what_the_text_or_a_word_in_it_begins_with(words: list[str], prefix: str) -> None:
    text, prefix = " ".join(words), fold(prefix)
    begins = text.startswith(prefix) or f" {prefix}" in f" {text}"
    assert any(phrase.startswith(prefix) for phrase in phrases(text)) is begins


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Blå Time Trio", "bla-time-trio"),
        ("The \N{KELVIN SIGN}ey", "the-key"),
        ("東京", ""),
        ("DJ 東京", "dj"),
        ("---", ""),
        ("word " * 20, "word-word-word-word-word-word-word-word-word-word-word-word"),
        ("x" * 120, "x" * SLUG_BASE_MAX_LENGTH),
    ],
)
def test_a_slug_is_made_of_what_ascii_can_say(name: str, slug: str) -> None:
    assert slug_base(name) == slug


@given(st.text(max_size=120))
def test_a_slug_needs_no_quoting_in_an_address(name: str) -> None:
    slug = slug_base(name)
    assert len(slug) <= SLUG_BASE_MAX_LENGTH
    assert all(
        (word.isascii() and word.isalnum() and word.islower()) or word.isdigit() for word in slug.split("-") if slug
    )


def test_namesakes_are_numbered_from_two() -> None:
    assert list(islice(slug_candidates("dj"), 3)) == ["dj", "dj-2", "dj-3"]
