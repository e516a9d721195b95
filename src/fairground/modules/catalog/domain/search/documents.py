"""What the index knows of a provider."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fairground.modules.catalog.domain.search.spelling import SHORTEST
from fairground.modules.catalog.domain.search.tokens import Field, is_unspaced, split, tokens

TEXT_MAX_WORDS: Final = 200  # different ones; what somebody is found by stands at the beginning of a bio
SERVICES_MAX_WORDS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Document:
    """A provider in folded words, and what its results are ordered and counted by. Only the approved have one."""

    provider_id: UUID
    vertical: str
    location: str
    price_from_minor: int | None
    book_count: int
    rating_avg: float
    open_days: int
    name: str
    place: str
    categories: str
    """Slugs, in the order in which the provider named them."""
    services: str
    """The different words of their names."""
    words: str
    """All tokens of all fields, each with the letter of its field before it, separated by spaces."""

    @property
    def spelled(self) -> frozenset[str]:
        """The words that a misspelling may have meant: of names, services and places, not of the texts."""
        spelled = f"{self.name} {self.place} {self.services}".split()
        return frozenset(word for word in spelled if len(word) >= SHORTEST and not is_unspaced(word))


def describe(
    *,
    provider_id: UUID,
    vertical: str,
    business_name: str,
    location: str,
    categories: Sequence[str],
    services: Iterable[str],
    texts: Iterable[str | None],
    price_from_minor: int | None,
    book_count: int,
    rating_avg: float,
    open_days: int,
) -> Document:
    """Return the document of a provider from what its profile says."""
    name, place = split(business_name), split(location)
    offered = list(dict.fromkeys(word for service in services for word in split(service)))[:SERVICES_MAX_WORDS]
    told = list(dict.fromkeys(word for text in texts if text for word in split(text)))[:TEXT_MAX_WORDS]
    kept = dict.fromkeys(
        [
            *_tokens(Field.NAME, name),
            *(Field.CATEGORY + slug for slug in categories),
            *_tokens(Field.PLACE, place),
            *_tokens(Field.SERVICE, offered),
            *_tokens(Field.TEXT, told),
        ]
    )
    return Document(
        provider_id=provider_id,
        vertical=vertical,
        location=location,
        price_from_minor=price_from_minor,
        book_count=book_count,
        rating_avg=rating_avg,
        open_days=open_days,
        name=" ".join(name),
        place=" ".join(place),
        categories=" ".join(categories),
        services=" ".join(offered),
        words=" ".join(kept),
    )


def _tokens(field: Field, words: Iterable[str]) -> Iterator[str]:
    return (field + token for word in words for token in tokens(word))
