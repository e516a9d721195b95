"""Slugs: the addresses that follow from names."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Final

from fairground.kernel.folding import fold

SLUG_BASE_MAX_LENGTH: Final = 60  # leaves room for the number that sets namesakes apart


def slug_base(business_name: str) -> str:
    """Return what the address of a provider begins with, or nothing when no letter of the name can be written so."""
    words = [word for part in fold(business_name).split() if (word := re.sub(r"[^a-z0-9]+", "", part))]
    slug = "-".join(words)
    if len(slug) <= SLUG_BASE_MAX_LENGTH:
        return slug
    whole_words, _, _ = slug[: SLUG_BASE_MAX_LENGTH + 1].rpartition("-")
    return whole_words or slug[:SLUG_BASE_MAX_LENGTH]


def slug_candidates(base: str) -> Iterator[str]:
    """Yield the slugs of namesakes: the base itself, then base-2, base-3 and so on, without an end."""
    yield base
    yield from (f"{base}-{number}" for number in count(2))
