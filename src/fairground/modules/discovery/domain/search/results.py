"""What an answer says beside its results: how they divide into facets, and which words were corrected."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from fairground.contracts.discovery import Correction, FacetCount, SearchFacets
from fairground.kernel.folding import fold
from fairground.modules.discovery.domain.prices import PriceScale
from fairground.modules.discovery.domain.search.question import Question, Word
from fairground.modules.discovery.domain.search.ranking import Candidate

_VALUES_MAX: Final = 20  # more than a page shows
_LEAST_STARS: Final = (4.5, 4.0, 3.0)
_WRITTEN: Final = re.compile(r"[^\s,;/()]+")


def count_facets(candidates: Sequence[Candidate], *, prices: PriceScale, vertical: str | None) -> SearchFacets:
    """Count the candidates by all that a search can be narrowed to; prices in the bands of the vertical."""
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
    """Return which words were taken for which, as the best result has them.

    Args:
        shown: Texts of the results as they were written, from which an accent comes back: 'Løkka', not 'lokka'.
    """
    as_written = {fold(word): word for text in shown for word in _WRITTEN.findall(text)}
    found = ((word, _meant(word, best)) for word in question.words)
    return [Correction(typed=word.text, meant=as_written.get(meant, meant)) for word, meant in found if meant]


def _meant(word: Word, best: Candidate) -> str | None:
    there = f"{best.name} {best.place} {best.services}".split()
    meanings = [(percent, other) for other, percent in word.meant.items() if other in there]
    meanings += [word.meant_categories[slug] for slug in best.categories.split() if slug in word.meant_categories]
    return max(meanings)[1] if meanings else None
