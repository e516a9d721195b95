"""The results of a search: their order, their facets, and the words that were corrected.

One formula orders them, whichever database found the candidates. Each word scores the points of the best field that
contains it. Results are ordered by the sum, then by the number of bookings, the rating and the id. Points are integers,
and nothing is random.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from fairground.contracts.discovery import Correction, FacetCount, SearchFacets
from fairground.kernel.folding import fold
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.documents import whole
from fairground.modules.discovery.domain.search.question import Question, Word
from fairground.modules.discovery.domain.search.spelling import mistakes_forgiven

# The points of a word in each field, and how many tenths of them it earns: as a whole word, as the beginning of one, or
# as a correction. A corrected word is worth less in any field than a typed one.
_NAME: Final = 100
_CATEGORY: Final = 80
_PLACE: Final = 80
_SERVICE: Final = 60
_TEXT: Final = 30
_WHOLE: Final = 10
_BEGINNING: Final = 7
_MEANT: Final = 2
# A name that equals or begins with the typed text beats one that merely contains the same words.
_WHOLE_NAME: Final = 50
_BEGINNING_OF_NAME: Final = 20


class Candidate(NamedTuple):
    """A provider that matches every word of the question, with the fields that ranking and facets read.

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
    """Return the words that no candidate has as a whole, which may therefore be misspelled."""
    return [
        word.text
        for word in question.words
        if mistakes_forgiven(word.text)
        and not (word.called or word.cities)
        and not any(_has_whole(word, candidate) for candidate in candidates)
    ]


def _has_whole(word: Word, candidate: Candidate) -> bool:
    return any(_share(word, field) == _WHOLE for field in (candidate.name, candidate.place, candidate.services))


def _for_whole_name(typed: str, name: str) -> int:
    if whole(name) == typed:
        return _WHOLE_NAME
    return _BEGINNING_OF_NAME if name.startswith(typed) else 0


def _best(word: Word, candidate: Candidate) -> int:
    best = _as_typed(word, candidate)
    if word.meant or word.meant_categories:
        best = max(best, _corrected(word, candidate))
    # The index found the word, so if none of these fields has it, a text does. Texts are too long to search again.
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


_VALUES_MAX: Final = 20  # more than a page shows
_LEAST_STARS: Final = (4.5, 4.0, 3.0)
_WRITTEN: Final = re.compile(r"[^\s,;/()]+")


def count_facets(candidates: Sequence[Candidate], *, prices: PriceScale, vertical: str | None) -> SearchFacets:
    """Count the candidates by everything that a search can be narrowed by; prices in the bands of the vertical."""
    lowest = Counter(one.price_from_minor for one in candidates if one.price_from_minor is not None)
    return SearchFacets(
        verticals=_most_frequent(candidate.vertical for candidate in candidates),
        categories=_most_frequent(slug for candidate in candidates for slug in candidate.categories.split()),
        places=_most_frequent(place for candidate in candidates if (place := _place(candidate.location))),
        ratings=_ratings(candidates),
        prices=prices.histogram(lowest, vertical=vertical),
    )


def _place(location: str) -> str:
    """Return the first part of a location: 'Oslo' of 'Oslo, Norway'."""
    return location.partition(",")[0].strip()


def _most_frequent(values: Iterable[str]) -> list[FacetCount]:
    ordered = sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0]))
    return [FacetCount(value=value, count=count) for value, count in ordered[:_VALUES_MAX]]


def _ratings(candidates: Sequence[Candidate]) -> list[FacetCount]:
    counts = {least: sum(candidate.rating_avg >= least for candidate in candidates) for least in _LEAST_STARS}
    return [FacetCount(value=f"{least:g}", count=count) for least, count in counts.items() if count]


def corrections(question: Question, best: Candidate, *, shown: Iterable[str]) -> list[Correction]:
    """Return each corrected word with its correction, taken from the best result.

    Args:
        shown: Texts of the results as written, from which accents are restored: 'Løkka', not 'lokka'.
    """
    as_written = {fold(word): word for text in shown for word in _WRITTEN.findall(text)}
    found = ((word, _meant(word, best)) for word in question.words)
    return [Correction(typed=word.text, meant=as_written.get(meant, meant)) for word, meant in found if meant]


def _meant(word: Word, best: Candidate) -> str | None:
    there = f"{best.name} {best.place} {best.services}".split()
    meanings = [(percent, other) for other, percent in word.meant.items() if other in there]
    meanings += [word.meant_categories[slug] for slug in best.categories.split() if slug in word.meant_categories]
    return max(meanings)[1] if meanings else None
