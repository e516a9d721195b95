"""Cursors: where a page ended, in a word that only we read."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Self
from uuid import UUID

from fairground.contracts.catalog import ProviderSort, QueryInvalid

SortKey = int | float | datetime


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The sort key and the id of the last provider of a page."""

    sort: ProviderSort
    key: SortKey
    provider_id: UUID

    def write(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        text = json.dumps([self.sort, key, self.provider_id.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, word: str, *, sort: ProviderSort) -> Self:
        """Raise QueryInvalid unless it is the cursor of a list that is sorted like this."""
        try:
            of_sort, key, provider_id = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
            cursor = cls(sort=ProviderSort(of_sort), key=_key(key, sort=sort), provider_id=UUID(provider_id))
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise _refusal(f"{word[:40]!r} is not a cursor of this list.") from None
        if cursor.sort is not sort:
            raise _refusal(f"The cursor belongs to a list sorted by {cursor.sort}, not by {sort}.")
        return cursor


def _key(key: object, *, sort: ProviderSort) -> SortKey:
    match sort, key:
        case ProviderSort.NEWEST, str() if (moment := datetime.fromisoformat(key)).tzinfo:
            return moment
        case ((ProviderSort.MOST_BOOKED | ProviderSort.PRICE), int()) if abs(key) < 2**63:
            return int(key)
        case ((ProviderSort.TOP_RATED | ProviderSort.DISTANCE), float()) if isfinite(key):
            return key
    raise ValueError(key)


def _refusal(detail: str) -> QueryInvalid:
    return QueryInvalid(detail, hint="Send `next_cursor` as it came, or leave it out.", field="cursor")
