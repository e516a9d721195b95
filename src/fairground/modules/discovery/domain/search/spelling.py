"""Misspelled words: which words are near to what was typed, and how near.

Two words that differ by a letter too many, too few, another or two changed about have a spelling in common once each
has lost a letter. So an index over such shortened spellings finds all of them by equality, on any database; the
distance is then counted. Only the beginning of a long word is shortened, which is where the index would grow.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

SHORTEST: Final = 4  # shorter words have too many neighbours to be meant by mistake
_LONG: Final = 8  # from here on two mistakes are forgiven
_INDEXED_LENGTH: Final = 7


def mistakes_forgiven(word: str) -> int:
    if len(word) < SHORTEST or word.isdecimal():
        return 0
    return 2 if len(word) >= _LONG else 1


def beginning(word: str) -> str:
    """Return the longest of the shortened spellings, which shows whether a word is in the index."""
    return word[:_INDEXED_LENGTH]


def shortened(word: str) -> frozenset[str]:
    """Return the beginning of a word, whole and without any letter, or any two letters of a long word."""
    start = beginning(word)
    return frozenset(
        "".join(letters)
        for lost in range(mistakes_forgiven(word) + 1)
        for letters in combinations(start, len(start) - lost)
    )


def similarity_percent(typed: str, word: str) -> int:
    """Return how much of the longer word was typed right, or 0 when there are more mistakes than are forgiven."""
    most = mistakes_forgiven(typed)
    if abs(len(typed) - len(word)) > most:
        return 0
    mistakes = _count_mistakes(typed, word)
    return 100 - 100 * mistakes // max(len(typed), len(word)) if mistakes <= most else 0


def near(typed: str, words: Iterable[str]) -> dict[str, int]:
    """Return those of the words that may have been meant instead, with their similarity in percent.

    Return none when the word is one of them itself: it is no mistake.
    """
    similarities = {word: similarity_percent(typed, word) for word in words}
    return {} if typed in similarities else {word: percent for word, percent in similarities.items() if percent}


def _count_mistakes(typed: str, word: str) -> int:
    """Count letters too many, too few, other ones, and neighbours changed about (optimal string alignment)."""
    before: list[int] = []
    above = list(range(len(word) + 1))
    for row, letter in enumerate(typed, start=1):
        current = [row]
        for column, other in enumerate(word, start=1):
            cost = min(above[column] + 1, current[column - 1] + 1, above[column - 1] + (letter != other))
            if row > 1 < column and letter == word[column - 2] and typed[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
