"""The one formula that says who comes first, whichever database found the candidates.

Each word gives the points of the best place where it was found; their sum decides, then how often the provider was
booked, then its rating, then its id. There is no float and no chance in it.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from fairground.modules.discovery.domain.search.documents import whole
from fairground.modules.discovery.domain.search.question import Question, Word
from fairground.modules.discovery.domain.search.spelling import mistakes_forgiven

# What a word is worth in each field, in points, and how many tenths of it where the word stands whole, where another
# begins like it, and where another was meant. A word that was meant is worth less anywhere than one that was typed.
_NAME: Final = 100
_CATEGORY: Final = 80
_PLACE: Final = 80
_SERVICE: Final = 60
_TEXT: Final = 30
_WHOLE: Final = 10
_BEGINNING: Final = 7
_MEANT: Final = 2
# A name that is, or begins with, what was typed beats one that only has the same words.
_WHOLE_NAME: Final = 50
_BEGINNING_OF_NAME: Final = 20


class Candidate(NamedTuple):
    """A provider that has every word of the question, in the words of its document, and what facets count.

    A tuple, because a thousand of them are made for each search.
    """

    provider_id: UUID
    vertical: str
    location: str
    """As the provider wrote it."""
    price_from_minor: int | None
    book_count: int
    rating_avg: float
    name: str
    place: str
    categories: str
    services: str


Rank = tuple[int, int, float, UUID]
"""Points, bookings and rating, all negative so that the best comes first, and the id."""


def ranked(question: Question, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, the best first."""
    return sorted(candidates, key=lambda candidate: rank(question, candidate))


def rank(question: Question, candidate: Candidate) -> Rank:
    return -points(question, candidate), -candidate.book_count, -candidate.rating_avg, candidate.provider_id


def points(question: Question, candidate: Candidate) -> int:
    return sum(_best(word, candidate) for word in question.words) + _for_whole_name(question.text, candidate.name)


def doubtful(question: Question, candidates: Collection[Candidate]) -> list[str]:
    """Return the words that no candidate has as a whole, and that may so be misspellings of others."""
    return [
        word.text
        for word in question.words
        if mistakes_forgiven(word.text)
        and not (word.called or word.cities)
        and not any(_stands_whole(word, candidate) for candidate in candidates)
    ]


def _stands_whole(word: Word, candidate: Candidate) -> bool:
    return any(_share(word, field) == _WHOLE for field in (candidate.name, candidate.place, candidate.services))


def _for_whole_name(typed: str, name: str) -> int:
    if whole(name) == typed:
        return _WHOLE_NAME
    return _BEGINNING_OF_NAME if name.startswith(typed) else 0


def _best(word: Word, candidate: Candidate) -> int:
    best = _as_typed(word, candidate)
    if word.meant or word.meant_categories:
        best = max(best, _corrected(word, candidate))
    # What the index found and no field shows stands in the texts, which are too long to be read again.
    return best or _TEXT


def _as_typed(word: Word, candidate: Candidate) -> int:
    best = _NAME * _share(word, candidate.name) // 10
    if best == _NAME:
        return best
    if word.called or word.hinted:
        best = max(best, _CATEGORY * _share_of_categories(word, candidate.categories.split()) // 10)
    if best < _PLACE:
        share = _WHOLE if _is_in_city(word, candidate.place) else _share(word, candidate.place)
        best = max(best, _PLACE * share // 10)
    if best < _SERVICE:
        best = max(best, _SERVICE * _share(word, candidate.services) // 10)
    return best


def _share(word: Word, field: str) -> int:
    """Return how many tenths the word is worth in the field."""
    if word.text not in field:
        return 0
    if word.is_unspaced:
        return _WHOLE if word.text in field.split() else _BEGINNING
    spaced = f" {field} "
    if f" {word.text} " in spaced:
        return _WHOLE
    return _BEGINNING if f" {word.text}" in spaced else 0


def _share_of_categories(word: Word, slugs: list[str]) -> int:
    if not word.called.isdisjoint(slugs):
        return _WHOLE
    return 0 if word.hinted.isdisjoint(slugs) else _BEGINNING


def _is_in_city(word: Word, place: str) -> bool:
    return any(f" {' '.join(city)} " in f" {place} " for city in word.cities)


def _corrected(word: Word, candidate: Candidate) -> int:
    best = 0
    if word.meant:
        fields = ((_NAME, candidate.name), (_PLACE, candidate.place), (_SERVICE, candidate.services))
        for worth, field in fields:
            percents = (word.meant[other] for other in field.split() if other in word.meant)
            best = max(best, worth * _MEANT * max(percents, default=0) // 1000)
    if word.meant_categories:
        meant = word.meant_categories
        percents = (meant[slug][0] for slug in candidate.categories.split() if slug in meant)
        best = max(best, _CATEGORY * _MEANT * max(percents, default=0) // 1000)
    return best
