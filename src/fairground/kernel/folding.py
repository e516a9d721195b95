"""Folding: reduces text to the form in which names and places are compared and searched."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Apostrophes in every form that keyboards and texts have, the middle dot of Catalan, and the zero-width non-joiner of
# Persian: they join two parts of a word, and people type them, leave them out, or type a space instead.
_JOINERS: Final = (
    "'`\u00b4\u00b7\u02b9\u02bb\u02bc\u02c8\u0384\u055a\u1fbd\u1fbf\u2018\u2019\u201b\u2032\u2035\ua78c\uff07\u200c"
)
_WITHOUT_JOINERS: Final = str.maketrans(dict.fromkeys(_JOINERS, ""))
_JOINERS_AS_SPACES: Final = str.maketrans(dict.fromkeys(_JOINERS, " "))
_JOINER: Final = re.compile(f"[{_JOINERS}]")
_ASCII_BREAK: Final = re.compile(r"[^a-z0-9]+")
# "LATIN SMALL LETTER O WITH STROKE" has no decomposition, but its name says which letter people type instead.
_LATIN_LETTER: Final = re.compile(
    r"LATIN (?:SMALL (?:LETTER|LIGATURE)|LETTER SMALL CAPITAL) (?:(?:DOTLESS|LONG|OPEN|REVERSED|SCRIPT|TURNED) )*"
    r"([A-Z]+)(?: WITH .*)?"
)
_NAMED_LETTERS: Final = {
    "ALPHA": "a", "ENG": "n", "ESH": "s", "ETH": "d", "EZH": "z", "GAMMA": "g", "IOTA": "i", "KRA": "k",
    "SCHWA": "e", "THORN": "th", "UPSILON": "u", "WYNN": "w", "YOGH": "g",
}  # fmt: skip
# Letters of Arabic script that keyboards of different languages give different code points.
_ARABIC_LETTERS: Final = {"\u0643": "\u06a9", "\u0649": "\u06cc", "\u064a": "\u06cc", "\u0629": "\u0647", "\u0640": ""}
_SKIN_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_TWO_LETTERS: Final = 2


def fold(text: str) -> str:
    """Return the words of a text without case, accents and punctuation: 'DJ Løkka & Søn' becomes 'dj lokka son'.

    An apostrophe joins the parts around it: "L'Atelier" becomes 'latelier'. A symbol such as an emoji is a word.
    """
    joined = text.translate(_WITHOUT_JOINERS)
    if joined.isascii():
        return _ASCII_BREAK.sub(" ", joined.lower()).strip()
    return " ".join(_fold_letters(joined).split())


def joined_parts(text: str) -> list[str]:
    """Return the folded parts of the words that apostrophes join: "L'Atelier Musical" gives 'l' and 'atelier'."""
    if not _JOINER.search(text):
        return []
    found: list[str] = []
    for word in text.split():
        parts = fold(take_apart(word)).split()
        if len(parts) > len(fold(word).split()):
            found += parts
    return found


def take_apart(text: str) -> str:
    """Return a text with spaces for apostrophes: "hors d'oeuvre" becomes 'hors d oeuvre'."""
    return text.translate(_JOINERS_AS_SPACES)


def _fold_letters(text: str) -> str:
    # Decomposed first, because a styled letter such as MATHEMATICAL BOLD A has a case only once it is plain.
    decomposed = _decompose(_decompose(text).casefold())
    # Composed at the end: the marks that stay, such as the voicing of kana, belong to their letters.
    return unicodedata.normalize("NFC", "".join(map(_plain, decomposed)))


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    """Return what a decomposed, case-folded character becomes: itself, other letters, a space, or nothing."""
    if character.isascii():
        return character if character.isalnum() else " "
    kind = unicodedata.category(character)
    if kind in {"Cf", "Me"} or character in _SKIN_TONES:
        return ""
    if kind in {"Mn", "Mc"}:
        return "" if _is_accent(character) else character
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "So":
        return f" {character} "
    return _letter(character) if kind[0] in "LN" else " "


def _is_accent(character: str) -> bool:
    """Return whether a mark is left out when people type: an accent, a Hebrew or Arabic point, a variation selector.

    The vowel signs of Indic scripts (combining class 0), their viramas and nuktas (9, 7), the voicing of kana (8) and
    the tones of Thai (107) make other words.
    """
    combining_class = unicodedata.combining(character)
    is_point = 10 <= combining_class <= 36  # noqa: PLR2004 - the fixed classes of Hebrew, Arabic and Syriac points
    is_over_or_under = combining_class == 1 or combining_class >= 200  # noqa: PLR2004 - overlays, and where accents begin
    return is_point or is_over_or_under or "VARIATION SELECTOR" in unicodedata.name(character, "")


def _letter(character: str) -> str:
    if character in _ARABIC_LETTERS:
        return _ARABIC_LETTERS[character]
    latin = _LATIN_LETTER.fullmatch(unicodedata.name(character, ""))
    if latin is None:
        return character
    name = latin[1]
    return name.lower() if len(name) <= _TWO_LETTERS else _NAMED_LETTERS.get(name, character)


def phrases(text: str) -> frozenset[str]:
    """Return every tail of the folded text that begins with a word, also with joined words taken apart.

    One of them begins with `q` exactly if the text, or a word in it, begins with `q`; so an index over them answers
    for words in the middle too.
    """
    forms = {fold(text), fold(take_apart(text))}
    return frozenset(
        " ".join(words[start:]) for words in (form.split() for form in forms) for start in range(len(words))
    )


def squeezed(text: str) -> str:
    """Return the folded text without spaces, in which a part of a place is looked for."""
    return fold(text).replace(" ", "")


def endings(folded: str) -> frozenset[str]:
    """Return every ending of a folded text, without its spaces.

    One of them begins with `squeezed(q)` exactly if the text holds it; so an ordered index answers for any part.
    """
    letters = folded.replace(" ", "")
    return frozenset(letters[start:] for start in range(len(letters)))
