"""Requests of commands to a running server: prewarming its cache, and three requests that prove it.

Prewarming requests the most visited pages and lists, so that no visitor waits for them after a deployment.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx

SORTS: Final = ("most_booked", "top_rated", "newest")
# The most requested lists: two with few fields, and one with all fields of a card.
_LISTS: Final = (
    ("musician, most booked", {"category": "musician", "sort": "most_booked", "fields": "id,slug,business_name"}),
    ("musician, newest", {"category": "musician", "sort": "newest", "fields": "id,slug,business_name"}),
    (
        "photographer, whole cards",
        {
            "category": "photographer",
            "fields": "id,slug,business_name,profile_picture_url,custom_subtitle,location,service_categories,"
            "price_from_minor,currency,rating,book_count",
        },
    ),
)
_EXPECTED: Final = ("MISS", "HIT", "304")


@dataclass(frozen=True)
class RequestResult:
    """The outcome of one request."""

    path: str
    status: int
    cache_status: str
    """The value of X-Cache."""
    milliseconds: float

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)


def prewarm(client: httpx.Client) -> Iterator[RequestResult]:
    """Request the home page, and each list of each vertical, category and sort as page and as API.

    Raises:
        httpx.HTTPError: The server, whose address the client has, cannot be reached or returns no categories.
    """
    categories = client.get("/api/v1/categories").raise_for_status().json()["data"]
    yield request(client, "/")
    for vertical in dict.fromkeys(each["vertical"] for each in categories):
        slugs = [each["slug"] for each in categories if each["vertical"] == vertical]
        for category in ("", *slugs):
            for sort in SORTS:
                parameters = {"category": category} if category else {}
                yield request(client, f"/api/v1/{vertical}", {**parameters, "sort": sort})
                # Pages leave the default sort out of their addresses.
                yield request(client, f"/c/{vertical}", parameters | ({"sort": sort} if sort != SORTS[0] else {}))


def request(
    client: httpx.Client,
    path: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> RequestResult:
    """Request one address. Without `parameters` it keeps those in its query."""
    began_at = time.perf_counter()
    response = client.get(path, params=parameters, headers=headers)
    milliseconds = 1000 * (time.perf_counter() - began_at)
    shown = str(response.request.url.raw_path, "ascii")
    return RequestResult(shown, response.status_code, str(response.headers.get("x-cache", "-")), milliseconds)


@dataclass(frozen=True)
class Verification:
    """The outcomes and durations of the three requests for one list."""

    name: str
    outcomes: tuple[str, ...]
    milliseconds: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        return self.outcomes == _EXPECTED


def verify(client: httpx.Client) -> Iterator[Verification]:
    """Request each list three times. The client's base address is the server's.

    Raises:
        httpx.HTTPError: The server cannot be reached.
    """
    for name, parameters in _LISTS:
        # A random upper price above all services makes the list a miss. It is a whole number, because a filter with
        # more decimals than the currency is refused.
        above_all_prices = str(5 * 10**8 + secrets.randbelow(5 * 10**8))
        yield _verify_list(client, name, {**parameters, "maxPrice": above_all_prices, "limit": "12"})


def _verify_list(client: httpx.Client, name: str, parameters: dict[str, str]) -> Verification:
    outcomes: list[str] = []
    milliseconds: list[float] = []
    etag = ""
    for _ in _EXPECTED:
        began_at = time.perf_counter()
        headers = {"if-none-match": etag} if len(outcomes) == len(_EXPECTED) - 1 else {}
        response = client.get("/api/v1/service-provider-profiles/", params=parameters, headers=headers)
        milliseconds.append(1000 * (time.perf_counter() - began_at))
        etag = response.headers.get("etag", "")
        outcomes.append(_outcome_of(response))
    return Verification(name, tuple(outcomes), tuple(milliseconds))


def _outcome_of(response: httpx.Response) -> str:
    if response.status_code == HTTPStatus.OK:
        return str(response.headers.get("x-cache", "uncached"))
    return str(response.status_code)
