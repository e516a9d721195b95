"""Pages of lists and search: the page of a query, and cursors, which say where a page ended."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Self
from uuid import UUID

from fairground.contracts.discovery import ProviderQuery, ProviderSort, QueryInvalid
from fairground.modules.discovery.domain.search.ranking import Rank

SortKey = int | float | datetime


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The sort key and the id of the last provider of a page."""

    sort: ProviderSort
    key: SortKey
    provider_id: UUID

    def write(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        return _write([self.sort, key, self.provider_id.hex])

    @classmethod
    def read(cls, text: str, *, sort: ProviderSort) -> Self:
        """Raise QueryInvalid unless it is the cursor of a list that is sorted like this."""
        try:
            of_sort, key, provider_id = _read(text)
            cursor = cls(sort=ProviderSort(of_sort), key=_key(key, sort=sort), provider_id=UUID(provider_id))
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise _refusal(f"{text[:40]!r} is not a cursor of this list.") from None
        if cursor.sort is not sort:
            raise _refusal(f"The cursor belongs to a list sorted by {cursor.sort}, not by {sort}.")
        return cursor


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """Which part of a list."""

    sort: ProviderSort
    limit: int
    offset: int = 0
    after: Cursor | None = None

    @classmethod
    def of(cls, query: ProviderQuery) -> Self:
        """Return the page of a query, where a cursor overrides the page number.

        Raises:
            QueryInvalid: The cursor belongs to another list, or a list by distance has no place.
        """
        if query.sort is ProviderSort.DISTANCE and query.near is None:
            raise QueryInvalid("Sorting by distance needs a location.", hint="Send lat and lng.", field="sort")
        if query.cursor is not None:
            after = Cursor.read(query.cursor, sort=query.sort)
            return cls(sort=query.sort, limit=query.limit, after=after)
        return cls(sort=query.sort, limit=query.limit, offset=(query.page - 1) * query.limit)

    @property
    def end(self) -> int:
        return self.offset + self.limit


def write_rank(rank: Rank) -> str:
    """Return the cursor of a page of a search that ended with this rank."""
    points, book_count, rating_avg, provider_id = rank
    return _write([points, book_count, rating_avg, provider_id.hex])


def read_rank(text: str) -> Rank:
    """Raise QueryInvalid unless it is the cursor of a search."""
    try:
        points, book_count, rating_avg, provider_id = _read(text)
        rank = int(points), int(book_count), float(rating_avg), UUID(provider_id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _refusal(f"{text[:40]!r} is not a cursor of a search.") from None
    return rank


def _write(facts: list[object]) -> str:
    text = json.dumps(facts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


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
    return QueryInvalid(detail, hint="Send `next_cursor` unchanged, or leave it out.", field="cursor")
