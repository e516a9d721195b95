"""What single characters are: allowed, dropped or refused in a text, visible, a mark, or with a meaning by context.

An invisible character is kept only where Unicode gives it a meaning. Sources: RFC 5892 appendix A.1 and A.2 with
UAX #31 §2.3.1 (joiners in scripts), UTS #51 (joiners in emoji sequences), and the Unicode core specification §23.4
(variation selectors) and §18.6 (fillers of Old Korean).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import idna

# Invisible, and left over from copying: break opportunities, byte order marks, what programs insert.
DROPPED: Final = frozenset(
    "\u00ad\u034f\u17b4\u17b5\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufffc"
    + "".join(map(chr, [*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)]))
)
DIRECTION_MARKS: Final = frozenset("\u061c\u200e\u200f")  # they order the words of a text; a name needs none
LINE_BREAKS: Final = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_PLAIN_BLANKS: Final = frozenset(" \u00a0\u2009\u202f\u3000")
# Letters and symbols by their category, for which no font shows anything.
_BLANK_SIGNS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
_REFUSED_FORMATS: Final = frozenset(
    map(chr, [*range(0x202A, 0x202F), *range(0x2065, 0x2070), *range(0xFFF0, 0xFFFC), *range(0xE0000, 0xE0080)])
)
# UTS #51: the flags of England, Scotland and Wales are the only tag sequences that are recommended for general use.
TAG_FLAG: Final = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_UNNAMED: Final = {"Cc": "a control character", "Cs": "half of a surrogate pair", "Cn": "a noncharacter"}
_NON_JOINER: Final = "\u200c"
_JOINER: Final = "\u200d"
_FILLERS: Final = frozenset("\u115f\u1160")
_VIRAMA_CLASS: Final = 9
_JOINS_BOTH_WAYS: Final = "\u0628"  # ARABIC LETTER BEH
_CONTEXT: Final = 16  # characters on either side; marks between a letter and its joiner are fewer
_TEXT_STYLE_ARROWS: Final = range(0x2190, 0x2200)  # ↔ and ↕ are in emoji sequences, as mathematical symbols
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_TAG_END: Final = "\U000e007f"
_EMOJI_STYLE: Final = "\ufe0f"
_KEYCAP: Final = "\u20e3"
_SELECTED: Final = frozenset("LNPS")
_MONGOLIAN: Final = range(0x1800, 0x18B0)
_JAMO: Final = (range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xD7B0, 0xD800))
_MONGOLIAN_SEPARATOR: Final = "\u180e"
_CONTEXTUAL: Final = frozenset({_NON_JOINER, _JOINER, _MONGOLIAN_SEPARATOR}) | _FILLERS


@lru_cache(maxsize=16_384)
def is_refused(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        at = ord(character)
        is_noncharacter = 0xFDD0 <= at <= 0xFDEF or at & 0xFFFE == 0xFFFE  # noqa: PLR2004 - as Unicode lists them
        return is_noncharacter or 0xE0000 <= at <= 0xE0FFF or character in _REFUSED_FORMATS  # noqa: PLR2004 - kept for tags
    return category in {"Cc", "Cs", "Zl", "Zp"} or character in _REFUSED_FORMATS


@lru_cache(maxsize=16_384)
def is_visible(character: str) -> bool:
    # Unassigned: an emoji of a newer Unicode. Private: a sign of some fonts.
    category = unicodedata.category(character)
    return (category[0] in "LNPS" or category in {"Cn", "Co"}) and character not in _BLANK_SIGNS


@lru_cache(maxsize=16_384)
def is_plain(character: str) -> bool:
    """Return whether a character is allowed everywhere and shown as itself, so that it needs no further check."""
    return character in _PLAIN_BLANKS or (is_visible(character) and not is_refused(character))


def name_of(character: str) -> str:
    name = unicodedata.name(character, "") or _UNNAMED.get(
        unicodedata.category(character), "a character without a name"
    )
    return f"U+{ord(character):04X} ({name})"


@lru_cache(maxsize=16_384)
def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" and not _is_variation_selector(character)


@lru_cache(maxsize=16_384)
def is_contextual(character: str) -> bool:
    return character in _CONTEXTUAL or _is_variation_selector(character)


def has_meaning(character: str, *, before: str, after: str) -> bool:
    """Return whether a contextual character changes something between what is before it and after it."""
    if character in {_NON_JOINER, _JOINER}:
        return _keeps_joiner(character, before=before, after=after)
    if character in _FILLERS:
        return _keeps_filler(before=before, after=after)
    if character == _MONGOLIAN_SEPARATOR:
        return _keeps_separator(before=before, after=after)
    return _keeps_variation(before=before)


def _keeps_joiner(joiner: str, *, before: str, after: str) -> bool:
    """Return whether U+200C or U+200D changes how the characters around it are shown."""
    if not before:
        return False
    if _is_beside_virama(before, after):
        return True
    before, after = before[-_CONTEXT:], after[:_CONTEXT]
    if joiner == _JOINER and _is_pictograph(before.rstrip(_EMOJI_STYLE)[-1:]) and _is_pictograph(after[:1]):
        return True
    joins_next = _may_separate(before, _JOINS_BOTH_WAYS)
    return joins_next if joiner == _JOINER else joins_next and _may_separate(_JOINS_BOTH_WAYS, after)


def _keeps_variation(*, before: str) -> bool:
    """Return whether a variation selector follows a character that it can select a shape of: one for each."""
    last = before[-1:]
    return bool(last) and (unicodedata.category(last)[0] in _SELECTED or _is_pictograph(last))


def _keeps_separator(*, before: str, after: str) -> bool:
    """Return whether U+180E is inside a Mongolian word."""
    return all(side.isalpha() and ord(side) in _MONGOLIAN for side in (before[-1:], after[:1]))


def _keeps_filler(*, before: str, after: str) -> bool:
    """Return whether U+115F or U+1160 fills up a syllable of conjoining letters."""
    beside = {before[-1:], after[:1]} - {"", *_FILLERS}
    return any(ord(letter) in block for letter in beside for block in _JAMO)


def _is_variation_selector(character: str) -> bool:
    at = ord(character)
    return 0xFE00 <= at <= 0xFE0F or 0xE0100 <= at <= 0xE01EF or at in {0x180B, 0x180C, 0x180D, 0x180F}  # noqa: PLR2004 - code points


def _is_beside_virama(before: str, after: str) -> bool:
    # After one, by RFC 5892; before one in Bengali and Kannada, where it keeps the letter ra whole.
    if unicodedata.combining(before[-1]) == _VIRAMA_CLASS:
        return True
    return bool(after) and unicodedata.combining(after[0]) == _VIRAMA_CLASS and before[-1].isalpha()


def _is_pictograph(character: str) -> bool:
    # The property Extended_Pictographic is not in the standard library. Unassigned ones are emoji of a newer Unicode.
    if not character:
        return False
    at = ord(character)
    if at in _TEXT_STYLE_ARROWS or at in _SKIN_TONES or character in {_TAG_END, _KEYCAP}:
        return True
    return unicodedata.category(character) in {"So", "Cn"}


def _may_separate(before: str, after: str) -> bool:
    try:
        return idna.core.valid_contextj(before + _NON_JOINER + after, len(before))
    except ValueError:  # a character that has no name: no letter
        return False
