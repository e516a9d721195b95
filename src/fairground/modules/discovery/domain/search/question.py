"""What is asked for: each word with all that it may mean, bounded whatever people type."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from fairground.modules.discovery.domain.search.categories import CategoryWords
from fairground.modules.discovery.domain.search.cities import NAMES_OF_CITY, Phrase
from fairground.modules.discovery.domain.search.tokens import TOKEN_MAX_LENGTH, is_unspaced, split

WORDS_MAX: Final = 8
MEANINGS_MAX: Final = 10  # of one misspelled word
_PHRASE_MAX_WORDS: Final = 4
# They join the words of a sentence, "a band for a wedding in Oslo", and say nothing of a provider.
_JOINING: Final = frozenset(
    "a an and at by for from in near of on or the to with och og i pa til for fra med av und fur bei mit im am der die"
    " das et pour avec du des le la les chez y con para el los de en в на и для с к από για και στο στη".split()  # noqa: RUF001 - these letters are meant
)


@dataclass(frozen=True)
class Word:
    text: str
    is_unspaced: bool = False
    called: frozenset[str] = frozenset()
    """Slugs of the categories that it names, alone or with its neighbours."""
    hinted: frozenset[str] = frozenset()
    """Slugs of the categories in whose names a word begins like this."""
    cities: tuple[Phrase, ...] = ()
    """Other names of the city that it names, alone or with its neighbours."""
    meant: Mapping[str, int] = field(default_factory=dict)
    """Words that it may be a misspelling of, with their similarity in percent."""
    meant_categories: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Slugs of the categories in whose names such a word stands, with the similarity and the word."""


@dataclass(frozen=True)
class Question:
    """Every word must be found in a provider, anywhere."""

    text: str
    """All that was typed, folded."""
    words: tuple[Word, ...]

    @classmethod
    def read(cls, text: str, categories: CategoryWords) -> Self:
        """Understand what was typed. Words after the eighth, and letters after the fortieth, are passed over."""
        everything = [word[:TOKEN_MAX_LENGTH] for word in split(text)]
        typed = list(dict.fromkeys(everything))
        typed = ([word for word in typed if word not in _JOINING] or typed)[:WORDS_MAX]
        # A symbol beside words decorates them: providers with the words are found, with the symbol or without.
        typed = [word for word in typed if any(map(str.isalnum, word))] or typed
        called: list[frozenset[str]] = [frozenset()] * len(typed)
        cities: list[tuple[Phrase, ...]] = [()] * len(typed)
        for start, end in _spans(len(typed)):
            phrase = tuple(typed[start:end])
            slugs, names = categories.called(phrase), NAMES_OF_CITY.get(phrase, ())
            for place in range(start, end):
                called[place] |= slugs
                cities[place] += names
        return cls(
            text=" ".join(everything),
            words=tuple(
                Word(
                    text=word,
                    is_unspaced=is_unspaced(word),
                    called=called[place],
                    hinted=categories.hinted(word) - called[place],
                    cities=tuple(sorted(set(cities[place]))),
                )
                for place, word in enumerate(typed)
            ),
        )

    def corrected(self, near: Mapping[str, Mapping[str, int]], categories: CategoryWords) -> Self:
        """Return the question with other spellings of some words.

        Args:
            near: For each of these words, those of the index that it may be a misspelling of, with their similarity in
                percent.
        """
        return replace(
            self,
            words=tuple(
                _corrected(word, near[word.text], categories) if word.text in near else word for word in self.words
            ),
        )


def _spans(length: int) -> Iterator[tuple[int, int]]:
    for start in range(length):
        for end in range(start + 1, min(start + _PHRASE_MAX_WORDS, length) + 1):
            yield start, end


def _corrected(word: Word, near: Mapping[str, int], categories: CategoryWords) -> Word:
    meant_categories: dict[str, tuple[int, str]] = {}
    for other, percent in _nearest(categories.misspelled(word.text)).items():
        for slug in categories.hinted(other):
            meant_categories[slug] = max((percent, other), meant_categories.get(slug, (0, "")))
    return replace(word, meant=_nearest(near), meant_categories=meant_categories)


def _nearest(percents: Mapping[str, int]) -> dict[str, int]:
    ranked: Sequence[tuple[str, int]] = sorted(percents.items(), key=lambda entry: (-entry[1], entry[0]))
    return dict(ranked[:MEANINGS_MAX])
