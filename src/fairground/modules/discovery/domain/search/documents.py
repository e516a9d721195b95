"""The search document of a provider: its folded words, and the tokens that an index keeps of them.

A token is a word, or a pair of characters where a script has no spaces.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final
from uuid import UUID

from fairground.kernel.folding import fold, joined_parts
from fairground.modules.discovery.domain.search.spelling import SHORTEST

TOKEN_MAX_LENGTH: Final = 40
# Thai, Lao, Myanmar, Khmer, Kana, Han: their writing does not mark where a word ends.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f"
)
_PIECE: Final = re.compile(rf"[{_UNSPACED}]+|[^{_UNSPACED}\s]+")
_FIRST_UNSPACED: Final = re.compile(rf"[{_UNSPACED}]")


class Field(StrEnum):
    """The part of a provider that a token is from. Its letter precedes the token, so one index serves all parts."""

    NAME = "n"
    CATEGORY = "c"
    PLACE = "p"
    SERVICE = "s"
    TEXT = "t"


def split(text: str) -> list[str]:
    """Return the folded words of a text; a run of an unspaced script counts as one word of its own."""
    folded = fold(text)
    return folded.split() if folded.isascii() else _PIECE.findall(folded)


def split_joined(text: str) -> list[str]:
    """Return the parts of the words that apostrophes join, as `split` gives them: 'l' and 'atelier' of "L'Atelier"."""
    return [piece for part in joined_parts(text) for piece in _PIECE.findall(part)]


def is_unspaced(word: str) -> bool:
    return not word.isascii() and _FIRST_UNSPACED.match(word) is not None


def tokens(word: str) -> Iterator[str]:
    """Return what the index keeps of a word: itself, or each pair of neighbours and the last character."""
    if is_unspaced(word):
        yield from (word[start : start + 2] for start in range(len(word)))
    else:
        yield word[:TOKEN_MAX_LENGTH]


TEXT_MAX_WORDS: Final = 200  # different ones; what a provider is found by is at the beginning of a bio
SERVICES_MAX_WORDS: Final = 100
# Between the words of a name or place and the parts of those that apostrophes join; no folded word is a slash.
ALSO: Final = " / "


@dataclass(frozen=True, kw_only=True)
class Document:
    """A provider in folded words, and what its results are ordered and counted by. Only the approved have one."""

    provider_id: UUID
    vertical: str
    location: str
    price_from_minor: int | None
    book_count: int
    rating_avg: float
    open_days: int
    name: str
    """The words of the name; then, behind `ALSO`, the parts of its joined words: "latelier musical / l atelier"."""
    place: str
    """The words of the place, and the parts of its joined words likewise."""
    categories: str
    """Slugs, in the order in which the provider named them."""
    services: str
    """The different words of their names."""
    words: str
    """All tokens of all fields, each with the letter of its field before it, separated by spaces."""

    @property
    def spelled(self) -> frozenset[str]:
        """The words that a misspelling may have meant: of names, services and places, not of the texts."""
        spelled = f"{self.name} {self.place} {self.services}".split()
        return frozenset(word for word in spelled if len(word) >= SHORTEST and not is_unspaced(word))


def describe(
    *,
    provider_id: UUID,
    vertical: str,
    business_name: str,
    location: str,
    categories: Sequence[str],
    services: Iterable[str],
    texts: Iterable[str | None],
    price_from_minor: int | None,
    book_count: int,
    rating_avg: float,
    open_days: int,
) -> Document:
    """Return the document of a provider from what its profile says."""
    name, place = _with_parts(business_name), _with_parts(location)
    offered = _different_words(services, most=SERVICES_MAX_WORDS)
    described = _different_words((text for text in texts if text), most=TEXT_MAX_WORDS)
    kept = dict.fromkeys(
        [
            *_tokens(Field.NAME, _words(name)),
            *(Field.CATEGORY + slug for slug in categories),
            *_tokens(Field.PLACE, _words(place)),
            *_tokens(Field.SERVICE, offered),
            *_tokens(Field.TEXT, described),
        ]
    )
    return Document(
        provider_id=provider_id,
        vertical=vertical,
        location=location,
        price_from_minor=price_from_minor,
        book_count=book_count,
        rating_avg=rating_avg,
        open_days=open_days,
        name=name,
        place=place,
        categories=" ".join(categories),
        services=" ".join(offered),
        words=" ".join(kept),
    )


def whole(name: str) -> str:
    """Return the words of a document's name without the parts of joined words."""
    return name.partition(ALSO)[0]


def _with_parts(text: str) -> str:
    words, parts = split(text), split_joined(text)
    return " ".join(words) + (ALSO + " ".join(parts) if parts else "")


def _words(described: str) -> list[str]:
    return described.replace(ALSO, " ").split()


def _different_words(texts: Iterable[str], *, most: int) -> list[str]:
    found = (word for text in texts for word in (*split(text), *split_joined(text)))
    return list(islice(dict.fromkeys(found), most))


def _tokens(field: Field, words: Iterable[str]) -> Iterator[str]:
    return (field + token for word in words for token in tokens(word))
