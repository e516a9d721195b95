"""How names are compared, searched and turned into addresses."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Final

SLUG_BASE_MAX_LENGTH: Final = 60  # leaves room for the number that sets namesakes apart
# "LATIN SMALL LETTER O WITH STROKE" has no decomposition, but its name says which letter people type instead.
_PLAIN_LETTER: Final = re.compile(r"LATIN SMALL LETTER (?:DOTLESS )?([A-Z]{1,2})(?: WITH .*)?")
_APOSTROPHES: Final = "\u2019\u02bc"
_BREAK: Final = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Return the words of a text without case, accents and punctuation: 'DJ Løkka & Søn' becomes 'dj lokka son'."""
    plain = text.lower() if text.isascii() else _fold_letters(text)
    return " ".join(_BREAK.sub(" ", plain.replace("'", "").replace("`", "")).split())


def _fold_letters(text: str) -> str:
    # Decomposed first, because a styled letter such as MATHEMATICAL BOLD A has a case only once it is plain.
    decomposed = _decompose(_decompose(text).casefold())
    return decomposed if decomposed.isascii() else "".join(map(_plain, decomposed))


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character).startswith("M") or character in _APOSTROPHES:
        return ""
    letter = _PLAIN_LETTER.fullmatch(unicodedata.name(character, ""))
    return letter[1].lower() if letter else character


def phrases(text: str) -> frozenset[str]:
    """Return every tail of the folded text that begins with a word.

    One of them begins with `q` exactly if the text, or a word in it, begins with `q`; so an index over them answers
    for words in the middle too.
    """
    words = fold(text).split()
    return frozenset(" ".join(words[start:]) for start in range(len(words)))


def slug_base(business_name: str) -> str:
    """Return what the address of a provider begins with, or nothing when no letter of the name can be written so."""
    words = [word for part in fold(business_name).split() if (word := re.sub(r"[^a-z0-9]+", "", part))]
    slug = "-".join(words)
    if len(slug) <= SLUG_BASE_MAX_LENGTH:
        return slug
    whole_words, _, _ = slug[: SLUG_BASE_MAX_LENGTH + 1].rpartition("-")
    return whole_words or slug[:SLUG_BASE_MAX_LENGTH]


def slug_candidates(base: str) -> Iterator[str]:
    """Return what namesakes are told apart by: the base itself, then base-2, base-3 and so on, without an end."""
    yield base
    yield from (f"{base}-{number}" for number in count(2))
