"""A question: the words of a search with all that each may mean, and the conditions that find its candidates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from fairground.kernel.folding import take_apart
from fairground.modules.discovery.domain.search.cities import NAMES_OF_CITY, Phrase
from fairground.modules.discovery.domain.search.documents import TOKEN_MAX_LENGTH, Field, is_unspaced, split, tokens
from fairground.modules.discovery.domain.search.spelling import near, shortened
from fairground.verticals.loader import Verticals

WORDS_MAX: Final = 8
MEANINGS_MAX: Final = 10  # of one misspelled word
_PHRASE_MAX_WORDS: Final = 4
_SHORTEST_BEGINNING: Final = 2
_SHORTEST_BEGINNING_IN_TEXT: Final = 4  # texts are long, and what begins like "the" is in all of them
# They join the words of a sentence, "a band for a wedding in Oslo", and say nothing of a provider.
_JOINING: Final = frozenset(
    "a an and at by for from in near of on or the to with och og i pa til for fra med av und fur bei mit im am der die"
    " das et pour avec du des le la les chez y con para el los de en в на и для с к από για και στο στη".split()  # noqa: RUF001 - these letters are meant
)

Condition = list[list[list[str]]]
"""On the tokens of a document: all of these, of each any of these, of each all of these.

A token that ends with an asterisk matches every token that begins so.
"""


class CategoryWords:
    """The slugs, names and aliases of every category of every pack, in folded words.

    They are not in the index, so a new alias needs no reindexing.
    """

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
    """Slugs of the categories that have such a word in their names, with the similarity and the word."""


@dataclass(frozen=True)
class Question:
    """Every word must be found in a provider, anywhere."""

    text: str
    """All that was typed, folded."""
    words: tuple[Word, ...]

    @classmethod
    def read(cls, text: str, categories: CategoryWords) -> Self:
        """Understand what was typed. Words after the eighth, and letters after the fortieth, are ignored."""
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

    def corrected(self, near_words: Mapping[str, Mapping[str, int]], categories: CategoryWords) -> Self:
        """Return the question with other spellings of some words.

        Args:
            near_words: For each of these words, the words of the index that it may be a misspelling of, with their
                similarity in percent.
        """
        return replace(
            self,
            words=tuple(
                _corrected(word, near_words[word.text], categories) if word.text in near_words else word
                for word in self.words
            ),
        )


def _spans(length: int) -> Iterator[tuple[int, int]]:
    for start in range(length):
        for end in range(start + 1, min(start + _PHRASE_MAX_WORDS, length) + 1):
            yield start, end


def _corrected(word: Word, near_words: Mapping[str, int], categories: CategoryWords) -> Word:
    meant_categories: dict[str, tuple[int, str]] = {}
    for other, percent in _nearest(categories.misspelled(word.text)).items():
        for slug in categories.hinted(other):
            meant_categories[slug] = max((percent, other), meant_categories.get(slug, (0, "")))
    return replace(word, meant=_nearest(near_words), meant_categories=meant_categories)


def _nearest(percents: Mapping[str, int]) -> dict[str, int]:
    ranked: Sequence[tuple[str, int]] = sorted(percents.items(), key=lambda entry: (-entry[1], entry[0]))
    return dict(ranked[:MEANINGS_MAX])


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
    for head in (Field.NAME, Field.PLACE):
        yield _beginning(head, word, shortest=_SHORTEST_BEGINNING)
        yield from (_whole(head, meant) for meant in word.meant)
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
    # The last character is in the pair before it as well.
    return [f"{field}{token}" for token in (kept[:-1] or kept)]
