# ruff: noqa: RUF001 - letters and apostrophes that look alike are what is tested
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.kernel.folding import endings, fold, joined_parts, phrases, squeezed
from fairground.modules.providers.domain.profiles import SLUG_BASE_MAX_LENGTH, slug_base, slug_candidates


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
        ("bœuf, sœur, Œdipe", "boeuf soeur oedipe"),
        ("Usta Dönərçi", "usta donerci"),
        ("Guðmundur Þórsson", "gudmundur thorsson"),
        ("Sámi Ŋoađđi", "sami noaddi"),
        ("Ɓalaɗo Ɛfua Ɔkɔ", "balado efua oko"),
        ("ﬁne ǆ ĳs", "fine dz ijs"),
        ("राम", "राम"),
        ("रीमा", "रीमा"),
        ("बंगाली", "बंगाली"),
        ("தமிழ்", "தமிழ்"),
        ("がく かく", "がく かく"),
        ("한국", "한국"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("على ٢٣", "علی 23"),
        ("🎸 band", "🎸 band"),
        ("Band🎸", "band 🎸"),
        ("👩🏽\u200d🍳", "👩 🍳"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("x\ufe0f", "x"),
    ],
)
def test_folding_leaves_the_words_alone(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    "written", ["O'Brien", "O’Brien", "o‘brien", "O´Brien", "OʻBrien", "OʼBrien", "O′Brien", "O`Brien", "O＇Brien"]
)
def test_every_apostrophe_joins_and_gives_its_parts_as_well(written: str) -> None:
    assert (fold(written), joined_parts(written)) == ("obrien", ["o", "brien"])


@pytest.mark.parametrize(
    ("text", "folded", "parts"),
    [
        ("L'Atelier Musical", "latelier musical", ["l", "atelier"]),
        ("Dell’Arte Quartet", "dellarte quartet", ["dell", "arte"]),
        ("rock 'n' roll", "rock n roll", []),
        ("Col·lecció", "colleccio", ["col", "leccio"]),
        ("علی\u200cرضا", "علیرضا", ["علی", "رضا"]),
        ("Jean-Luc", "jean luc", []),
        ("'", "", []),
    ],
)
def test_joined_words_are_also_found_by_their_parts(text: str, folded: str, parts: list[str]) -> None:
    assert (fold(text), joined_parts(text)) == (folded, parts)


@given(st.text(max_size=40), st.text(max_size=6))
def test_an_ending_begins_with_what_the_text_holds(text: str, part: str) -> None:
    sought = squeezed(part)
    assert any(ending.startswith(sought) for ending in endings(fold(text))) is (sought in squeezed(text) != "")


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
        ("Bœuf Bourgogne", "boeuf-bourgogne"),
        ("Guðmundur Örsson", "gudmundur-orsson"),
        ("Þingvellir", "thingvellir"),
        ("Usta Dönərçi", "usta-donerci"),
        ("O’Brien 🎸", "obrien"),
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
