"""What people are told when a word was taken for another."""

import re
from collections.abc import Iterable
from typing import Final

from fairground.contracts.catalog import Correction
from fairground.modules.catalog.domain.search.question import Question, Word
from fairground.modules.catalog.domain.search.ranking import Candidate
from fairground.modules.catalog.domain.words import fold

_WRITTEN: Final = re.compile(r"[^\s,;/()]+")


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
