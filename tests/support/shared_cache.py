"""A shared HTTP cache in front of an application, as RFC 9111 lets one be: it stores all that it may.

It is stricter a test than most real proxies: it stores answers without explicit freshness (§4.2.2), answers that set
cookies, and, like nginx, answers to requests with Authorization, which §3.5 forbids.
"""

import time
from dataclasses import dataclass
from typing import Final

import httpx

HEADER: Final = "x-shared-cache"
_HEURISTIC_SECONDS: Final = 60.0
# RFC 9110 §15.1: statuses that a cache may store without explicit freshness.
_HEURISTICALLY_CACHEABLE: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
_HOP_BY_HOP: Final = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True)
class _Stored:
    varied: tuple[tuple[str, str], ...]
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    fresh_until: float


class SharedCache(httpx.AsyncBaseTransport):
    """Give stored answers to any request for the same address.

    Args:
        hides_cache_control: Removes what the origin says of caching first, as if it said nothing. This is the negative
            control: a private answer must then reach a foreign caller.
    """

    def __init__(self, origin: httpx.AsyncBaseTransport, *, hides_cache_control: bool = False) -> None:
        self._origin = origin
        self._hides_cache_control = hides_cache_control
        self._stored: dict[str, list[_Stored]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stored = self._find(request)
        if stored is not None:
            headers = [*stored.headers, (HEADER, "HIT")]
            return httpx.Response(stored.status, headers=headers, content=stored.body, request=request)
        response = await self._origin.handle_async_request(request)
        body = await response.aread()
        hidden = {"cache-control", "cdn-cache-control"} if self._hides_cache_control else set()
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in hidden]
        answer = httpx.Headers(headers)
        seconds = _fresh_seconds(request, response.status_code, answer)
        if seconds > 0:
            kept = [(name, value) for name, value in headers if name not in _HOP_BY_HOP]
            varied = tuple((name, request.headers.get(name, "")) for name in _names(answer.get("vary", "")))
            entry = _Stored(varied, response.status_code, kept, body, time.monotonic() + seconds)
            self._stored.setdefault(str(request.url), []).append(entry)
        return httpx.Response(
            response.status_code,
            headers=[*((name, value) for name, value in headers if name not in _HOP_BY_HOP), (HEADER, "MISS")],
            content=body,
            request=request,
        )

    def _find(self, request: httpx.Request) -> _Stored | None:
        if request.method != "GET":
            return None
        for stored in self._stored.get(str(request.url), ()):
            if stored.fresh_until > time.monotonic() and all(
                request.headers.get(name, "") == value for name, value in stored.varied
            ):
                return stored
        return None


def _fresh_seconds(request: httpx.Request, status: int, headers: httpx.Headers) -> float:
    """Return how long a shared cache may give the answer again without revalidation; 0 where it must not store it."""
    directives = _directives(headers.get("cdn-cache-control") or headers.get("cache-control", ""))
    if request.method != "GET" or {"no-store", "private", "no-cache"} & directives.keys():
        return 0
    if "*" in _names(headers.get("vary", "")):
        return 0
    of_a_cdn = ("max-age",) if "cdn-cache-control" in headers else ("s-maxage", "max-age")
    for name in of_a_cdn:
        if name in directives:
            return float(directives[name])
    return _HEURISTIC_SECONDS if status in _HEURISTICALLY_CACHEABLE else 0


def _directives(value: str) -> dict[str, str]:
    pairs = (each.strip().lower().partition("=") for each in value.split(",") if each.strip())
    return {name: argument for name, _, argument in pairs}


def _names(value: str) -> list[str]:
    return [name.strip().lower() for name in value.split(",") if name.strip()]
