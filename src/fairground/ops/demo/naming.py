"""Invents names: of people, of what they call their trade, and the initials on their picture."""

import re
from collections.abc import Sequence
from random import Random

from fairground.ops.demo.vocabulary import City, VerticalWords, Vocabulary

LOCAL_SHARE = 0.75  # people who bear a name of the place they live in
PATIENCE = 20  # draws before a business is numbered; a plan of 300 needs a handful
SMALL_WORDS = frozenset({"The", "Dr", "DJ"})

Person = tuple[str, str]
"""A given and a family name."""


class Namer:
    """Draws names for one plan and gives no business name twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tables = vocabulary.names
        self._taken: set[str] = set()

    def draw_person(self, chance: Random, *, city: City | None) -> Person:
        """Return two names that belong together, and to the city in most cases."""
        is_local = city is not None and chance.random() < LOCAL_SHARE
        table = self._tables[city.names if city and is_local else chance.choice(list(self._tables))]
        return chance.choice(table.given), chance.choice(table.family)

    def name_business(
        self, chance: Random, patterns: Sequence[str], *, words: VerticalWords, person: Person, city: City
    ) -> str:
        """Fill one of the patterns; where luck brings only names that are taken, add a number."""
        for _ in range(PATIENCE):
            name = _fill(chance.choice(patterns), chance=chance, words=words, person=person, city=city)
            if name not in self._taken:
                break
        else:
            name = f"{person[0]} {person[1]} No. {len(self._taken) + 1}"
        self._taken.add(name)
        return name


def initials(business_name: str) -> str:
    """Return one or two capitals: AT for 'The Amber Tides', L for 'DJ Lena', GH for 'Greta Hofer, voice'."""
    name, *_trade = business_name.split(",")
    words = [str(word) for word in re.findall(r"[^\W\d_]+", name) if word not in SMALL_WORDS]
    capitals = [word[0] for word in words if word[0].isupper()] or [word[0].upper() for word in words]
    return "".join(capitals[:1] + capitals[1:][-1:])


def _fill(pattern: str, *, chance: Random, words: VerticalWords, person: Person, city: City) -> str:
    name = pattern.format(
        given=person[0],
        family=person[1],
        city=city.name,
        adjective=chance.choice(words.adjectives),
        noun=chance.choice(words.nouns),
    )
    return name[0].upper() + name[1:]
