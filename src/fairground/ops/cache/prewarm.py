"""Requests the most visited pages and lists from a server, so that no visitor waits for them after a deploy."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

SORTS: Final = ("most_booked", "top_rated", "newest")


@dataclass(frozen=True)
class Warmed:
    """One address that was asked for."""

    path: str
    status: int
    how: str
    """What X-Cache says."""
    milliseconds: float

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)


def prewarm(client: httpx.Client) -> Iterator[Warmed]:
    """Ask for home, and for each list of each vertical, category and sort as page and as API; yield what came.

    Raises:
        httpx.HTTPError: The server, whose address the client has, cannot be reached or names no categories.
    """
    categories = client.get("/api/v1/categories").raise_for_status().json()["data"]
    yield ask(client, "/")
    for vertical in dict.fromkeys(each["vertical"] for each in categories):
        slugs = [each["slug"] for each in categories if each["vertical"] == vertical]
        for category in ("", *slugs):
            for sort in SORTS:
                asked = {"category": category} if category else {}
                yield ask(client, f"/api/v1/{vertical}", {**asked, "sort": sort})
                # What pages leave out of their own addresses is left out here.
                yield ask(client, f"/c/{vertical}", asked | ({"sort": sort} if sort != SORTS[0] else {}))


def ask(
    client: httpx.Client, path: str, asked: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
) -> Warmed:
    """Ask for one address; without parameters it keeps those that it has."""
    began_at = time.perf_counter()
    answer = client.get(path, params=asked, headers=headers)
    milliseconds = 1000 * (time.perf_counter() - began_at)
    shown = str(answer.request.url.raw_path, "ascii")
    return Warmed(shown, answer.status_code, str(answer.headers.get("x-cache", "-")), milliseconds)
