"""Which characters a text of a user may have: one rule for the API, pages, imports, mails and the command line.

Three kinds of text: a *line* (a name, a place, a phone number), a *text* of several lines (a description, a note), and
an *identifier* that another system made. Lines and texts come back in NFC (UAX #15), so that two spellings that look
the same are the same; NFKC would also turn ½, ② and ﬁ into other characters. Lengths are code points of the result,
which is what both databases count. ADR-0026 says why each character is kept, dropped or refused.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from fairground.kernel.errors import Invalid
from fairground.kernel.joiners import (
    FILLERS,
    is_variation_selector,
    keeps_filler,
    keeps_joiner,
    keeps_separator,
    keeps_variation,
)

# UTS #39 §5.4 forbids more than four nonspacing marks; Burmese and Tibetan words need a few more.
MARKS_MAX: Final = 8
# Normalising is quadratic in the length of a run of marks; UAX #15 bounds it to 30 in a Stream-Safe text.
_NORMALISED_MARKS_MAX: Final = 30
_RAW_FACTOR: Final = 4  # decomposed, a letter has at most four code points: a longer raw text is too long in any form

_LINE_ENDS: Final = ("\r\n", "\r", "\x85", "\u2028", "\u2029")
_BLANKS: Final = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800\u3164\uffa0]+")
_OUTER: Final = (
    " \t\n\r\x85\u2028\u2029\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000\ufeff"
)
# Invisible, and left over from copying: break opportunities, byte order marks, what programs insert.
_DROPPED: Final = frozenset(
    "\u00ad\u034f\u17b4\u17b5\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufffc"
    + "".join(map(chr, [*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)]))
)
_DIRECTION_MARKS: Final = frozenset("\u061c\u200e\u200f")  # they order the words of a text; a name needs none
_JOINERS: Final = frozenset("\u200c\u200d")
_MONGOLIAN_SEPARATOR: Final = "\u180e"
_CONTEXTUAL: Final = _JOINERS | FILLERS | {_MONGOLIAN_SEPARATOR}
# Letters and symbols by their category, for which no font shows anything.
_BLANK_SIGNS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
_REFUSED_FORMATS: Final = frozenset(
    map(chr, [*range(0x202A, 0x202F), *range(0x2065, 0x2070), *range(0xFFF0, 0xFFFC), *range(0xE0000, 0xE0080)])
)
# UTS #51: the flags of England, Scotland and Wales are the only tag sequences that are recommended for general use.
_TAG_FLAG: Final = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_PLAIN_BLANKS: Final = frozenset(" \u00a0\u2009\u202f\u3000")
_LAYOUT: Final = frozenset("\n\t")
_LINE_BREAKS: Final = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_UNNAMED: Final = {"Cc": "a control character", "Cs": "half of a surrogate pair", "Cn": "a noncharacter"}


class TextRefused(ValueError):
    """A text has a character that is not allowed, or too many characters.

    `reason` continues a sentence that begins with the name of the text; `hint` says what to do, as a sentence.
    """

    def __init__(self, reason: str, *, hint: str) -> None:
        super().__init__(f"it {reason}; {hint}")
        self.reason = reason
        self.hint = hint


def clean_line(text: str, *, most: int) -> str:
    """Return a text of one line with every run of blanks as one; "" when it shows nothing.

    Args:
        most: Code points of the result.

    Raises:
        TextRefused: It has a line break, a tab or another character that a line may not have, or is too long.
    """
    if text.isascii() and text.isprintable():  # nearly every text, and nothing in it but blanks can change
        text = text.strip()
        return _bounded(" ".join(text.split()) if "  " in text else text, most=most)
    return _bounded(_tidy(_trimmed(text, most=most), allowed=frozenset(), is_line=True), most=most)


def clean_text(text: str, *, most: int) -> str:
    """Return a text of any number of lines, which end in U+000A; "" when it shows nothing.

    Args:
        most: Code points of the result.

    Raises:
        TextRefused: It has a character that a text may not have, or is too long.
    """
    text = _trimmed(text, most=most)
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return _bounded(_tidy(text, allowed=_LAYOUT, is_line=False), most=most)


def require_line(text: str, *, most: int) -> str:
    """Return what `clean_line` does; raise TextRefused also when it shows nothing."""
    return clean_line(text, most=most) or _refuse_empty(text, most=most)


def require_text(text: str, *, most: int) -> str:
    """Return what `clean_text` does; raise TextRefused also when it shows nothing."""
    return clean_text(text, most=most) or _refuse_empty(text, most=most)


def check_identifier(text: str, *, most: int) -> str:
    """Return an identifier of another system unchanged: identifiers that differ in a blank are different.

    Raises:
        TextRefused: It is empty, too long, or has a character that a line may not have.
    """
    _refuse_characters(text, allowed=frozenset())
    if not _shows(text):
        _refuse_empty(text, most=most)
    return _bounded(text, most=most)


def shown_line(text: str, *, most: int) -> str:
    """Return what a line can show of any text, cut to `most` code points. Nothing is refused."""
    spaced = "".join(" " if character in _LINE_BREAKS else character for character in text[: most * _RAW_FACTOR])
    shown = "".join(character for character in spaced.replace("\t", " ") if not _is_refused(character))
    try:
        return _tidy(shown.strip(_OUTER), allowed=frozenset(), is_line=True)[:most].rstrip()
    except TextRefused:  # too many marks on a letter: nothing of it can be read
        return ""


@contextmanager
def refused_as(refusal: type[Invalid], subject: str, **context: Any) -> Iterator[None]:
    """Turn TextRefused into the module's own error, whose detail begins with the subject."""
    try:
        yield
    except TextRefused as refused:
        raise refusal(f"{subject} {refused.reason}.", hint=refused.hint, **context) from None


def _trimmed(text: str, *, most: int) -> str:
    text = text.strip(_OUTER)
    if len(text) > most * _RAW_FACTOR:
        raise TextRefused(f"has {len(text)} characters", hint=f"Write at most {most} characters.")
    return text


def _bounded(text: str, *, most: int) -> str:
    if len(text) > most:
        raise TextRefused(f"has {len(text)} characters", hint=f"Write at most {most} characters.")
    return text


def _refuse_empty(text: str, *, most: int) -> str:
    seen = next(iter(text.strip()), None)
    if seen is None:
        raise TextRefused("is empty", hint=f"Write 1 to {most} characters.")
    raise TextRefused(
        f"shows nothing: it holds {_named(seen)} and no letter, digit or sign", hint=f"Write 1 to {most} characters."
    )


def _tidy(text: str, *, allowed: frozenset[str], is_line: bool) -> str:
    if text.isascii():
        if not text.isprintable():
            _refuse_characters(text, allowed=allowed)
    elif not all(map(_is_plain, set(text))):
        text = _tidy_unusual(text, allowed=allowed, is_line=is_line)
    elif not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _BLANKS.sub(" ", text).strip() if is_line else text


def _tidy_unusual(text: str, *, allowed: frozenset[str], is_line: bool) -> str:
    _refuse_characters(text, allowed=allowed)
    dropped = _DROPPED | _DIRECTION_MARKS if is_line else _DROPPED
    text = "".join(character for character in text if character not in dropped)
    text = (_BLANKS.sub(" ", text) if is_line else text).strip(_OUTER)
    _refuse_marks(text, most=_NORMALISED_MARKS_MAX)
    # Normalised again, because characters between a letter and its mark may be gone.
    text = unicodedata.normalize("NFC", _without_idle(unicodedata.normalize("NFC", text))).strip(_OUTER)
    if not _shows(text):
        return ""
    _refuse_marks(unicodedata.normalize("NFD", text), most=MARKS_MAX)
    if unicodedata.category(text[0])[0] == "M":
        raise TextRefused(f"begins with {_named(text[0])}, a mark without a letter", hint="Write the letter first.")
    return text


def _without_idle(text: str) -> str:
    """Leave out joiners, selectors and fillers that change nothing where they are."""
    kept: list[str] = []
    for at, character in enumerate(text):
        if not _is_contextual(character) or _has_meaning(
            character, before="".join(kept[-32:]), after=text[at + 1 : at + 33]
        ):
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=16_384)
def _is_contextual(character: str) -> bool:
    return character in _CONTEXTUAL or is_variation_selector(character)


def _has_meaning(character: str, *, before: str, after: str) -> bool:
    if character in _JOINERS:
        return keeps_joiner(character, before=before, after=after)
    if character in FILLERS:
        return keeps_filler(before=before, after=after)
    if character == _MONGOLIAN_SEPARATOR:
        return keeps_separator(before=before, after=after)
    return keeps_variation(before=before)


def _refuse_marks(text: str, *, most: int) -> None:
    """Raise TextRefused when more marks stand on one letter: they cover the lines above and below."""
    run = 0
    for character in text:
        run = run + 1 if _is_mark(character) else 0
        if run > most:
            raise TextRefused(
                f"has more than {most} marks such as {_named(character)} on one letter", hint="Remove the marks."
            )


@lru_cache(maxsize=16_384)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" and not is_variation_selector(character)


def _refuse_characters(text: str, *, allowed: frozenset[str]) -> None:
    without_flags = _TAG_FLAG.sub("", text)
    for character in without_flags:
        if character not in allowed and _is_refused(character):
            raise _refusal_of(character)


def _refusal_of(character: str) -> TextRefused:
    named = f"U+{ord(character):04X}"
    if character in _LINE_BREAKS:
        return TextRefused(f"has a line break ({named})", hint="Write it on one line.")
    if character == "\t":
        return TextRefused(f"has a tab ({named})", hint="Write a blank instead.")
    return TextRefused(f"has the character {_named(character)}, which a text may not have", hint="Remove it.")


@lru_cache(maxsize=16_384)
def _is_refused(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        at = ord(character)
        is_noncharacter = 0xFDD0 <= at <= 0xFDEF or at & 0xFFFE == 0xFFFE  # noqa: PLR2004 - as Unicode lists them
        return is_noncharacter or 0xE0000 <= at <= 0xE0FFF or character in _REFUSED_FORMATS  # noqa: PLR2004 - kept for tags
    return category in {"Cc", "Cs", "Zl", "Zp"} or character in _REFUSED_FORMATS


@lru_cache(maxsize=16_384)
def _is_visible(character: str) -> bool:
    # Unassigned: an emoji of a newer Unicode. Private: a sign of some fonts.
    category = unicodedata.category(character)
    return (category[0] in "LNPS" or category in {"Cn", "Co"}) and character not in _BLANK_SIGNS


@lru_cache(maxsize=16_384)
def _is_plain(character: str) -> bool:
    """Tell whether a character is allowed everywhere and shown as itself, so that it needs no further check."""
    return character in _PLAIN_BLANKS or (_is_visible(character) and not _is_refused(character))


def _shows(text: str) -> bool:
    return any(map(_is_visible, text))


def _named(character: str) -> str:
    name = unicodedata.name(character, "") or _UNNAMED.get(
        unicodedata.category(character), "a character without a name"
    )
    return f"U+{ord(character):04X} ({name})"
