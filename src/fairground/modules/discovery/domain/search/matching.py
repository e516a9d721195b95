"""Which providers can answer a question at all, as a condition on tokens that an index decides.

A condition is three lists deep: all of these, of each any of these, of each all of these tokens. A token that ends
with an asterisk stands for all that begin so.
"""

from collections.abc import Iterator
from typing import Final

from fairground.modules.discovery.domain.search.question import Question, Word
from fairground.modules.discovery.domain.search.tokens import Field, tokens

Condition = list[list[list[str]]]

_SHORTEST_BEGINNING: Final = 2
_SHORTEST_BEGINNING_IN_TEXT: Final = 4  # texts are long, and what begins like "the" is in all of them


def tiers(question: Question) -> list[Condition]:
    """Return conditions from the narrowest to the widest; a provider of an earlier one ranks higher as a rule.

    The engine takes candidates tier by tier, so that the best are among them however many there are.
    """
    return [
        [list(_in_name(word)) for word in question.words],
        [list(_in_head(word)) for word in question.words],
        [list(_anywhere(word)) for word in question.words],
    ]


def _in_name(word: Word) -> Iterator[list[str]]:
    yield _whole(Field.NAME, word.text)


def _in_head(word: Word) -> Iterator[list[str]]:
    for field in (Field.NAME, Field.PLACE):
        yield _beginning(field, word, shortest=_SHORTEST_BEGINNING)
        yield from (_whole(field, meant) for meant in word.meant)
    slugs = word.called | word.hinted | word.meant_categories.keys()
    yield from ([Field.CATEGORY + slug] for slug in sorted(slugs))
    yield from ([token for part in city for token in _whole(Field.PLACE, part)] for city in word.cities)


def _anywhere(word: Word) -> Iterator[list[str]]:
    yield from _in_head(word)
    yield _beginning(Field.SERVICE, word, shortest=_SHORTEST_BEGINNING)
    yield from (_whole(Field.SERVICE, meant) for meant in word.meant)
    yield _beginning(Field.TEXT, word, shortest=_SHORTEST_BEGINNING_IN_TEXT)


def _beginning(field: Field, word: Word, *, shortest: int) -> list[str]:
    if word.is_unspaced and len(word.text) == 1:
        return [f"{field}{word.text}*"]
    if word.is_unspaced or len(word.text) < shortest:
        return _whole(field, word.text)
    return [f"{field}{word.text}*"]


def _whole(field: Field, word: str) -> list[str]:
    kept = list(tokens(word))
    # The last character of a run also stands alone in the index, at the end of every run: no need to ask for it.
    return [f"{field}{token}" for token in (kept[:-1] or kept)]
