"""The contexts in which Unicode gives an invisible character a meaning; elsewhere it is dropped from a text.

Sources: RFC 5892 appendix A.1 and A.2 with UAX #31 §2.3.1 (joiners in scripts), UTS #51 (joiners in emoji sequences),
and the Unicode core specification §23.4 (variation selectors) and §18.6 (fillers of Old Korean).
"""

import unicodedata
from typing import Final

import idna

NON_JOINER: Final = "\u200c"
JOINER: Final = "\u200d"
FILLERS: Final = frozenset("\u115f\u1160")
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


def keeps_joiner(joiner: str, *, before: str, after: str) -> bool:
    """Tell whether U+200C or U+200D changes how the characters around it are shown."""
    if not before:
        return False
    if _is_beside_virama(before, after):
        return True
    before, after = before[-_CONTEXT:], after[:_CONTEXT]
    if joiner == JOINER and _is_pictograph(before.rstrip(_EMOJI_STYLE)[-1:]) and _is_pictograph(after[:1]):
        return True
    joins_next = _may_separate(before, _JOINS_BOTH_WAYS)
    return joins_next if joiner == JOINER else joins_next and _may_separate(_JOINS_BOTH_WAYS, after)


def keeps_variation(*, before: str) -> bool:
    """Tell whether a variation selector follows a character that it can select a shape of: one for each."""
    last = before[-1:]
    return bool(last) and (unicodedata.category(last)[0] in _SELECTED or _is_pictograph(last))


def keeps_separator(*, before: str, after: str) -> bool:
    """Tell whether U+180E stands inside a Mongolian word."""
    return all(side.isalpha() and ord(side) in _MONGOLIAN for side in (before[-1:], after[:1]))


def keeps_filler(*, before: str, after: str) -> bool:
    """Tell whether U+115F or U+1160 fills up a syllable of conjoining letters."""
    beside = {before[-1:], after[:1]} - {"", *FILLERS}
    return any(ord(letter) in block for letter in beside for block in _JAMO)


def is_variation_selector(character: str) -> bool:
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
        return idna.core.valid_contextj(before + NON_JOINER + after, len(before))
    except ValueError:  # a character that has no name: no letter
        return False
