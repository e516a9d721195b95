"""From text to the tokens that an index keeps: words, or pairs of characters where a script has no spaces."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from fairground.kernel.folding import fold, joined_parts

TOKEN_MAX_LENGTH: Final = 40
# Thai, Lao, Myanmar, Khmer, Kana, Han: their writing does not mark where a word ends.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f"
)
_PIECE: Final = re.compile(rf"[{_UNSPACED}]+|[^{_UNSPACED}\s]+")
_FIRST_UNSPACED: Final = re.compile(rf"[{_UNSPACED}]")


class Field(StrEnum):
    """Where a token stands. The letter is put before the token, so that one index serves all fields."""

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
