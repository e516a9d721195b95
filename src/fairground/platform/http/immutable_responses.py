"""Serves immutable responses, such as a picture whose address has its version, from memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.http.cache_control import matches_etag
from fairground.platform.http.request_counter import RequestStats

SECONDS: Final = 10
"""Time for which a response is served without the route; clients may store it for a year anyway."""
MOST_BYTES: Final = 32 * 1024 * 1024
LARGEST_BYTES: Final = 512 * 1024
KEY_MAX_BYTES: Final = 1024
"""Limit of address and Accept headers together. Our pages stay below it; longer keys would fill the memory."""
_REQUESTED_MAX: Final = 10_000
_OVERHEAD_BYTES: Final = 2 * 1024  # memory of a response beside its body: address, headers and dictionary entries
_ACCEPTED_VARY: Final = frozenset({b"accept", b"accept-encoding"})
_BODY_HEADERS: Final = frozenset({b"content-length", b"content-type", b"content-encoding"})

_Key = tuple[str, bytes, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class _StoredResponse:
    headers: list[tuple[bytes, bytes]]
    etag: bytes
    body: bytes
    route: Any
    until: float


class ImmutableResponseCache:
    """Serves public, immutable responses from memory, from their second request on.

    The first request stores only the address: most pictures have one viewer.
    """

    def __init__(self, app: ASGIApp, *, stats: RequestStats, now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._stats = stats
        self._now = now
        self._requested: dict[_Key, float] = {}
        self._stored: dict[_Key, _StoredResponse] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        # The first value of a repeated header counts, as in the route itself.
        headers = dict(reversed(scope["headers"]))
        key = (scope["path"], scope["query_string"], headers.get(b"accept"), headers.get(b"accept-encoding"))
        if sum(len(part) for part in key if part) > KEY_MAX_BYTES:
            await self._app(scope, receive, send)
            return
        stored = self._stored.get(key)
        if stored is not None and stored.until > self._now() and b"range" not in headers:
            self._stats.repeated += 1
            scope["route"] = stored.route
            await _send_response(stored, headers.get(b"if-none-match", b""), send, is_head=scope["method"] == "HEAD")
        elif scope["method"] == "GET" and self._was_requested(key):
            await self._app(
                scope, receive, _ResponseRecorder(send, lambda start, body: self._store(key, scope, start, body))
            )
        else:
            await self._app(scope, receive, send)

    def _was_requested(self, key: _Key) -> bool:
        """Return whether the key was requested within the last SECONDS, and record this request."""
        requested_at = self._requested.pop(key, None)
        self._requested[key] = self._now()
        if len(self._requested) > _REQUESTED_MAX:
            del self._requested[next(iter(self._requested))]
        return requested_at is not None and requested_at > self._now() - SECONDS

    def _store(self, key: _Key, scope: Scope, start: Message, body: bytes) -> None:
        headers = {bytes(name).lower(): bytes(value) for name, value in start["headers"]}
        stored = _StoredResponse(
            list(headers.items()), headers[b"etag"], body, scope.get("route"), self._now() + SECONDS
        )
        self._remove(key)
        self._stored[key] = stored
        self._bytes += len(body) + _OVERHEAD_BYTES
        while self._bytes > MOST_BYTES:
            self._remove(next(iter(self._stored)))

    def _remove(self, key: _Key) -> None:
        if (stored := self._stored.pop(key, None)) is not None:
            self._bytes -= len(stored.body) + _OVERHEAD_BYTES


class _ResponseRecorder:
    """Passes a response on, and calls `store` after the last part if it is storable."""

    def __init__(self, send: Send, store: Callable[[Message, bytes], None]) -> None:
        self._send = send
        self._store = store
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # Outer middleware adds headers to this list in place, so keep a copy.
            self._start = {**message, "headers": list(message["headers"])} if _is_storable(message) else None
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message["type"] != "http.response.body" or len(self._body) > LARGEST_BYTES:
                self._start = None
        await self._send(message)
        if self._start is not None and message["type"] == "http.response.body" and not message.get("more_body"):
            self._store(self._start, self._body)


def _is_storable(start: Message) -> bool:
    headers = {bytes(name).lower(): bytes(value).lower() for name, value in start["headers"]}
    control = {word.strip() for word in headers.get(b"cache-control", b"").split(b",")}
    varies = {word.strip() for word in headers.get(b"vary", b"").split(b",")} - {b""}
    return (
        start["status"] == HTTPStatus.OK
        and {b"public", b"immutable"} <= control
        and varies <= _ACCEPTED_VARY
        and b"etag" in headers
        and b"set-cookie" not in headers
    )


async def _send_response(stored: _StoredResponse, if_none_match: bytes, send: Send, *, is_head: bool) -> None:
    headers, body, status = list(stored.headers), b"" if is_head else stored.body, HTTPStatus.OK
    if if_none_match and matches_etag(if_none_match, etag=stored.etag):
        headers, body, status = [each for each in headers if each[0] not in _BODY_HEADERS], b"", HTTPStatus.NOT_MODIFIED
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
