"""Queries of lists: those of the pages, and a few that only the API sends."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from benchmarks.marketplace import Marketplace
from fairground.contracts.discovery import Near, ProviderQuery, ProviderSort

PAGE_LENGTH: Final = 24
_MIDDLING: Final = 30  # the rank of a city that one in three hundred lives in


def list_queries(market: Marketplace) -> Iterator[tuple[str, ProviderQuery]]:
    """Yield every filter with every sort that it allows, by name."""
    for name, filters in _filters(market).items():
        for sort in ProviderSort:
            if sort is not ProviderSort.DISTANCE or "near" in filters:
                yield f"{name}, {sort}", ProviderQuery(**filters, sort=sort, limit=PAGE_LENGTH)


def _filters(market: Marketplace) -> dict[str, dict[str, Any]]:
    largest, middling = market.cities[0], market.cities[_MIDDLING]
    in_ten_days = market.free_from + timedelta(days=10)
    here = Near(lat=round(largest.lat, 2), lng=round(largest.lng, 2), radius_km=25)
    return {
        "all providers": {},
        "vertical": {"vertical": "artists"},
        "category": {"vertical": "artists", "category": "dj"},
        "word of two verticals": {"category": "french"},
        "price": {"vertical": "artists", "min_price": 100, "max_price": 200},
        "rating": {"vertical": "chefs", "min_rating": 4.5},
        "location": {"vertical": "artists", "location": middling.name},
        "when": {"vertical": "chefs", "when": in_ten_days},
        "when, all providers": {"when": in_ten_days},
        "near": {"near": here},
        "near, category": {"vertical": "artists", "category": "dj", "near": here},
        "all at once": {
            "vertical": "artists",
            "category": "dj",
            "min_price": 50,
            "max_price": 500,
            "min_rating": 4,
            "when": in_ten_days,
        },
    }
