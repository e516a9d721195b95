"""Every character is kept, dropped or refused by one rule, which names what it refuses."""

import time
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.kernel.errors import Invalid
from fairground.kernel.text import (
    MARKS_MAX,
    TextRefused,
    check_identifier,
    clean_line,
    clean_text,
    refused_as,
    require_line,
    require_text,
    shown_line,
)

UNCHANGED: Final = {
    "persian joiner": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "persian plural": "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627",
    "malayalam chillu": "അനില്\u200d",
    "bengali ya": "র\u200d্যাব",
    "hindi half form": "क्\u200dष",
    "sinhala": "ශ්\u200dරී",
    "family": "👨\u200d👩\u200d👧\u200d👦",
    "heart on fire": "❤\ufe0f\u200d🔥",
    "astronaut": "👩🏽\u200d🚀",
    "nodding": "🙂\u200d↔\ufe0f",
    "keycap": "1\ufe0f\u20e3 DJ",
    "flag of Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f pipers",
    "ideographic variation": "葛\U000e0100城",
    "emoji of Unicode 15": "\U0001fae8 shake",
    "hebrew points": "שָׁלוֹם",
    "thai": "ไก่ที่",
    "burmese": "ညွှို့",
    "tibetan": "བསྒྲུབས",
    "old korean": "\u1112\u119e\u11ab",
    "old korean filler": "\u115f\u1161",
    "mongolian separator": "ᠨᠠ\u180eᠠ",
    "half and circled": "½ ② ﬁ Ω ㎏",
}
FOLDED: Final = {
    "ideographic space": ("山田\u3000太郎", "山田 太郎"),
    "no-break space": ("Jean\u00a0Dupont", "Jean Dupont"),
    "runs of blanks": ("  a \u2003\u2009 b ", "a b"),
    "hangul filler inside": ("a\u3164b", "a b"),
    "decomposed": ("Zoe\u0308", "Zo\u00eb"),
    "zero width space": ("a\u200bb", "ab"),
    "soft hyphen": ("So\u00adlo", "Solo"),
    "byte order mark": ("\ufeffAnna", "Anna"),
    "joiner between Latin letters": ("a\u200db", "ab"),
    "non-joiner between Latin letters": ("a\u200cb", "ab"),
    "joiner at the start": ("\u200dAnna", "Anna"),
    "joiner at the end": ("Anna\u200d", "Anna"),
    "direction mark": ("Anna\u200f", "Anna"),
    "selector after a selector": ("❤\ufe0f\ufe0f\ufe0e", "❤\ufe0f"),
    "selector after a blank": ("a \ufe0fb", "a b"),
    "lone separator": ("a\u180eb", "ab"),
    "lone filler": ("a\u1160b", "ab"),
    "object": ("a\ufffcb", "ab"),
}
REFUSED: Final = {
    "line break": ("a\nb", "a line break (U+000A)"),
    "return": ("a\rb", "a line break (U+000D)"),
    "line separator": ("a\u2028b", "a line break (U+2028)"),
    "paragraph separator": ("a\u2029b", "a line break (U+2029)"),
    "tab": ("a\tb", "a tab (U+0009)"),
    "null": ("a\x00b", "U+0000 (a control character)"),
    "escape": ("a\x1bb", "U+001B (a control character)"),
    "delete": ("a\x7fb", "U+007F (a control character)"),
    "control in Latin text": ("é\x07", "U+0007 (a control character)"),
    "override": ("a\u202eb", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
    "embedding": ("a\u202ab", "U+202A (LEFT-TO-RIGHT EMBEDDING)"),
    "isolate": ("a\u2066b", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
    "end of isolate": ("a\u2069b", "U+2069 (POP DIRECTIONAL ISOLATE)"),
    "deprecated format": ("a\u206ab", "U+206A (INHIBIT SYMMETRIC SWAPPING)"),
    "annotation": ("a\ufff9b", "U+FFF9 (INTERLINEAR ANNOTATION ANCHOR)"),
    "surrogate": ("a\ud800b", "U+D800 (half of a surrogate pair)"),
    "noncharacter": ("a\ufffeb", "U+FFFE (a noncharacter)"),
    "noncharacter of another plane": ("a\U0001ffffb", "U+1FFFF (a noncharacter)"),
    "arabic noncharacter": ("a\ufdd0b", "U+FDD0 (a noncharacter)"),
    "tag": ("a\U000e0041b", "U+E0041 (TAG LATIN CAPITAL LETTER A)"),
    "flag of a place without one": ("🏴\U000e0075\U000e0073\U000e007f", "U+E0075 (TAG LATIN SMALL LETTER U)"),
    "first is a mark": ("\u0301a", "begins with U+0301 (COMBINING ACUTE ACCENT)"),
    "first is a vowel sign": ("\u093eक", "begins with U+093E (DEVANAGARI VOWEL SIGN AA)"),
    "marks": ("Z" + "\u0335\u0321" * 5, f"more than {MARKS_MAX} marks such as U+"),
    "marks beyond normalising": ("Z" + "\u0335\u0321" * 40, "marks such as U+"),
}
NOTHING_SHOWN: Final = [
    "\u3164",
    "\u2800",
    "\u2800 \u3164",
    "\u200b",
    "\u200d\u200c",
    "\u0301\u0302",
    "\u093e",
    "\ufe0f",
    "\U000e0100",
    "\u115f\u1160",
    "\uffa0",
    "\ufeff",
    "\u00ad",
    "\u200f\u061c",
    "\ufffc",
    "\U0001d159",
    "\u2060\u180e",
]


@pytest.mark.parametrize("text", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_line_keeps_every_character_that_is_shown_or_changes_what_is_shown(text: str) -> None:
    assert clean_line(text, most=120) == text
    assert clean_text(text, most=120) == text


@pytest.mark.parametrize(("text", "kept"), FOLDED.values(), ids=FOLDED.keys())
def test_line_folds_blanks_and_drops_what_shows_nothing(text: str, kept: str) -> None:
    assert clean_line(text, most=120) == kept


@pytest.mark.parametrize(("text", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_refusal_names_the_character(text: str, named: str) -> None:
    with pytest.raises(TextRefused) as refused:
        clean_line(text, most=120)
    assert named in refused.value.reason
    assert refused.value.hint


@pytest.mark.parametrize("text", NOTHING_SHOWN)
def test_text_without_a_visible_character_is_empty(text: str) -> None:
    assert clean_line(text, most=120) == ""
    assert clean_text(text, most=120) == ""
    for require in (require_line, require_text):
        with pytest.raises(TextRefused, match=r"has no visible characters, only U\+"):
            require(text, most=120)


def test_blank_required_text_is_called_empty() -> None:
    with pytest.raises(TextRefused, match="is empty"):
        require_line(" \n ", most=120)


def test_only_a_real_line_break_is_called_one() -> None:
    for name, (text, _) in REFUSED.items():
        with pytest.raises(TextRefused) as refused:
            clean_line(text, most=120)
        is_break = name in {"line break", "return", "line separator", "paragraph separator"}
        assert ("line break" in refused.value.reason) is is_break, name


def test_text_keeps_its_lines_tabs_blanks_and_direction_marks() -> None:
    written = " Bonjour\u00a0!\r\n\r\n1\t2\u20283\x854\r5 \u200fשלם \u3000 "
    assert clean_text(written, most=120) == "Bonjour\u00a0!\n\n1\t2\n3\n4\n5 \u200fשלם"


def test_text_refuses_what_a_line_refuses_but_line_ends_and_tabs() -> None:
    layout = {"line break", "return", "line separator", "paragraph separator", "tab"}
    for name, (text, named) in REFUSED.items():
        if name in layout:
            assert clean_text(text, most=120)
        else:
            with pytest.raises(TextRefused) as refused:
                clean_text(text, most=120)
            assert named in refused.value.reason


def test_length_is_counted_in_code_points_of_the_result() -> None:
    assert clean_line("e\u0301" * 120, most=120) == "\u00e9" * 120
    assert clean_line(" " * 900 + "x" * 120, most=120) == "x" * 120
    with pytest.raises(TextRefused, match=r"is too long \(121 characters\)") as refused:
        clean_line("x" * 121, most=120)
    assert refused.value.hint == "Use at most 120 characters."


def test_marks_of_one_letter_are_bounded_alike_in_both_normal_forms() -> None:
    most = "e" + "\u0301" * MARKS_MAX
    assert clean_line(most, most=120) == unicodedata.normalize("NFC", most)
    for written in ("e" + "\u0301" * (MARKS_MAX + 1), "\u00e9" + "\u0301" * MARKS_MAX):
        with pytest.raises(TextRefused, match="marks"):
            clean_line(written, most=120)


def test_identifier_stays_as_it_is() -> None:
    for text in (" a  b", "Zoe\u0308", "42", "a\u200bb"):
        assert check_identifier(text, most=200) == text
    for text in ("", " ", "a\nb", "a\u202eb", "\u200b", "x" * 201):
        with pytest.raises(TextRefused):
            check_identifier(text, most=200)


def test_shown_line_leaves_out_refused_characters_and_raises_nothing() -> None:
    assert shown_line("Mozilla/5.0\r\n\t(X11)\u202e x\x00", most=40) == "Mozilla/5.0 (X11) x"
    assert shown_line("Z" + "\u0335\u0321" * 40, most=40) == ""
    assert shown_line("x" * 50, most=40) == "x" * 40
    for text, _ in REFUSED.values():
        assert clean_line(shown_line(text, most=120), most=120) == shown_line(text, most=120)


def test_refusal_becomes_the_error_of_the_module() -> None:
    with pytest.raises(Invalid) as refused, refused_as(Invalid, "The note", field="note"):
        clean_text("a\x00b", most=10)
    assert refused.value.detail.startswith("The note contains U+0000")
    assert refused.value.hint == "Remove it."
    assert refused.value.context == {"field": "note"}


# Characters beside each other whose rules meet, which plain chance hardly ever draws.
MEETING: Final = st.text(
    st.sampled_from(
        "aé \u00a0\t\nع\u200cب\u200dക്ര\u09cd্🏴👩🏽❤\ufe0f\ufe0e\u20e3\u0301\u0323\u200b\u3164\u1160\u115f\u1161\u180eᠠ"
        "\u200f\U000e0100\U000e007f\U000e0067"
    )
)


@given(st.text() | MEETING)
def test_clean_text_is_cleaned_to_itself(text: str) -> None:
    for clean in (clean_line, clean_text):
        try:
            kept = clean(text, most=10_000)
        except TextRefused:
            continue
        assert clean(kept, most=10_000) == kept
        assert unicodedata.is_normalized("NFC", kept)
        kept.encode("utf-8")  # no surrogate is left, which would raise
        assert "\x00" not in kept


@given(st.text() | MEETING)
def test_both_normal_forms_have_one_answer(text: str) -> None:
    answers = set()
    for form in ("NFC", "NFD"):
        try:
            answers.add(clean_line(unicodedata.normalize(form, text), most=10_000))
        except TextRefused as refused:
            answers.add(type(refused).__name__)
    assert len(answers) == 1


def test_longest_text_of_marks_is_answered_at_once() -> None:
    flood = ("a" + "\u0301\u0323" * 14) * 820
    started = time.perf_counter()
    with pytest.raises(TextRefused):
        clean_text(flood, most=6_000)
    assert time.perf_counter() - started < 2  # a quadratic rule takes a minute
