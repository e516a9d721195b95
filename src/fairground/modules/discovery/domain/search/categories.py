"""Finds the categories that the words of a question mean, in the packs: a new alias needs no reindexing."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from fairground.kernel.folding import take_apart
from fairground.modules.discovery.domain.search.cities import Phrase
from fairground.modules.discovery.domain.search.spelling import near, shortened
from fairground.modules.discovery.domain.search.tokens import split
from fairground.verticals.loader import Verticals

_SHORTEST_BEGINNING: Final = 2


class CategoryWords:
    """The slugs, names and aliases of every category of every pack, in folded words."""

    def __init__(self, verticals: Verticals) -> None:
        self._by_phrase: dict[Phrase, set[str]] = defaultdict(set)
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self._by_shortened: dict[str, set[str]] = defaultdict(set)
        for category in (category for pack in verticals for category in pack.categories):
            for spelling in (category.slug, category.name, *category.aliases):
                words = spelling.replace("_", " ")
                for form in (words, take_apart(words)):
                    self._by_phrase[tuple(split(form))].add(category.slug)
        for phrase, slugs in self._by_phrase.items():
            for word in phrase:
                self._by_word[word] |= slugs
        for word in self._by_word:
            for spelling in shortened(word):
                self._by_shortened[spelling].add(word)

    def called(self, words: Sequence[str]) -> frozenset[str]:
        """Return the slugs of the categories that these words together are a name of."""
        return frozenset(self._by_phrase.get(tuple(words), ()))

    def hinted(self, beginning: str) -> frozenset[str]:
        """Return the slugs of the categories that have a word with this beginning in one of their names."""
        if len(beginning) < _SHORTEST_BEGINNING:
            return frozenset()
        found = (slugs for word, slugs in self._by_word.items() if word.startswith(beginning))
        return frozenset().union(*found)

    def misspelled(self, word: str) -> dict[str, int]:
        """Return words of category names that may have been meant, each with its similarity in percent."""
        return near(word, {other for spelling in shortened(word) for other in self._by_shortened.get(spelling, ())})
