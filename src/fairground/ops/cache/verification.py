"""Three calls that prove the cache from outside: first made, then had, then known."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

# The lists that the marketplace lives by: two lean ones, and one with all that a card shows.
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
class Verified:
    """What was answered to the three calls of one list, and how long each took."""

    name: str
    answers: tuple[str, ...]
    milliseconds: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        return self.answers == _EXPECTED


def verify(client: httpx.Client) -> Iterator[Verified]:
    """Ask for each list three times. The client's base address is the server's.

    Raises:
        httpx.HTTPError: The server cannot be reached.
    """
    for name, parameters in _LISTS:
        # An upper price that no other request names and no service reaches makes the list a new one. It is a whole
        # number, because a filter with more decimals than the currency is refused.
        above_all_prices = str(5 * 10**8 + secrets.randbelow(5 * 10**8))
        yield _verify(client, name, {**parameters, "maxPrice": above_all_prices, "limit": "12"})


def _verify(client: httpx.Client, name: str, parameters: dict[str, str]) -> Verified:
    answers: list[str] = []
    milliseconds: list[float] = []
    etag = ""
    for _ in _EXPECTED:
        began_at = time.perf_counter()
        headers = {"if-none-match": etag} if len(answers) == len(_EXPECTED) - 1 else {}
        answer = client.get("/api/v1/service-provider-profiles/", params=parameters, headers=headers)
        milliseconds.append(1000 * (time.perf_counter() - began_at))
        etag = answer.headers.get("etag", "")
        answers.append(_say(answer))
    return Verified(name, tuple(answers), tuple(milliseconds))


def _say(answer: httpx.Response) -> str:
    if answer.status_code == HTTPStatus.OK:
        return str(answer.headers.get("x-cache", "uncached"))
    return str(answer.status_code)
