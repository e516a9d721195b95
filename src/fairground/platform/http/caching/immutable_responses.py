"""Serves immutable responses, such as a picture whose address has its version, from memory."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.cache.entry import PreparedResponse
from fairground.platform.http.cache_control import matches_etag
from fairground.platform.http.caching.head_cache import Reuse
from fairground.platform.http.request_counter import ROUTE, UNMATCHED, RequestStats

SECONDS: Final = 10
"""Time for which a response is served without the route; clients may store it for a year anyway."""
MOST_BYTES: Final = 32 * 1024 * 1024
LARGEST_BYTES: Final = 512 * 1024
KEY_MAX_BYTES: Final = 1024
"""Limit of address and Accept headers together. Our pages stay below it; longer keys would fill the memory."""
_REQUESTED_MAX: Final = 10_000
_OVERHEAD_BYTES: Final = 2 * 1024  # memory of a response beside its body: address, headers and dictionary entries
_METHODS: Final = frozenset({"GET", "HEAD"})
_ACCEPTED_VARY: Final = frozenset({b"accept", b"accept-encoding"})
_BODY_HEADERS: Final = frozenset({b"content-length", b"content-type", b"content-encoding"})

_Key = tuple[bytes | None, str, bytes, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class _StoredResponse:
    whole: PreparedResponse
    without_body: PreparedResponse
    """The response to HEAD."""
    not_modified: PreparedResponse
    etag: bytes
    state: Mapping[str, Any]
    """Of the request that it was stored from; the request counter puts the route there."""
    until: float

    def prepare(self, *, method: str, if_none_match: bytes) -> PreparedResponse:
        if if_none_match and matches_etag(if_none_match, etag=self.etag):
            return self.not_modified
        return self.without_body if method == "HEAD" else self.whole


class ImmutableResponseCache:
    """Serves public, immutable responses from memory, from their second request on.

    The first request stores only the address: most pictures have one viewer. It comes before all other middleware, so
    a stored response contains their headers, and the name of the host, which they have accepted, belongs to the key.
    """

    def __init__(self, app: ASGIApp, *, stats: RequestStats, now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._stats = stats
        self._now = now
        self._requested: dict[_Key, float] = {}
        self._stored: dict[_Key, _StoredResponse] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS:
            await self._app(scope, receive, send)
            return
        key, headers = _read(scope)
        prepared = self._prepare(key, headers, method=scope["method"])
        if prepared is not None:
            await send({"type": "http.response.start", "status": prepared.status, "headers": list(prepared.headers)})
            await send({"type": "http.response.body", "body": prepared.body})
            return
        if (
            scope["method"] == "GET"
            and sum(len(part) for part in key if part) <= KEY_MAX_BYTES
            and self._was_requested(key)
        ):
            state = scope.setdefault("state", {})
            send = _ResponseRecorder(send, lambda start, body: self._store(key, state, start, body))
        await self._app(scope, receive, send)

    def find_prepared(self, scope: Scope) -> PreparedResponse | None:
        """Return the stored response to a request, and count it."""
        if not self._stored or scope["method"] not in _METHODS:
            return None
        return self._prepare(*_read(scope), method=scope["method"])

    def _prepare(self, key: _Key, headers: Mapping[bytes, bytes], *, method: str) -> PreparedResponse | None:
        stored = self._find(key, headers)
        if stored is None:
            return None
        prepared = stored.prepare(method=method, if_none_match=headers.get(b"if-none-match", b""))
        self._count(stored, method=method, status=prepared.status)
        return prepared

    def find_reuse(self, scope: Scope, prepared: PreparedResponse) -> Reuse | None:
        """Return for how long the response that `find_prepared` has just returned answers the same request."""
        stored = self._find(*_read(scope))
        if stored is None:
            return None
        method, status = scope["method"], prepared.status
        return Reuse(stored.until - self._now(), lambda: self._count(stored, method=method, status=status))

    def _find(self, key: _Key, headers: Mapping[bytes, bytes]) -> _StoredResponse | None:
        stored = self._stored.get(key)
        is_usable = stored is not None and stored.until > self._now() and b"range" not in headers
        return stored if is_usable else None

    def _count(self, stored: _StoredResponse, *, method: str, status: int) -> None:
        route = stored.state.get(ROUTE, UNMATCHED)
        self._stats.repeated += 1
        self._stats.answered[method, route, status] += 1
        self._stats.durations[route].add(0.0)

    def _was_requested(self, key: _Key) -> bool:
        """Return whether the key was requested within the last SECONDS, and record this request."""
        requested_at = self._requested.pop(key, None)
        self._requested[key] = self._now()
        if len(self._requested) > _REQUESTED_MAX:
            del self._requested[next(iter(self._requested))]
        return requested_at is not None and requested_at > self._now() - SECONDS

    def _store(self, key: _Key, state: Mapping[str, Any], start: Message, body: bytes) -> None:
        headers = [(bytes(name).lower(), bytes(value)) for name, value in start["headers"]]
        stored = _StoredResponse(
            whole=PreparedResponse(HTTPStatus.OK, headers, body),
            without_body=PreparedResponse(HTTPStatus.OK, headers, b""),
            not_modified=PreparedResponse(
                HTTPStatus.NOT_MODIFIED, [each for each in headers if each[0] not in _BODY_HEADERS], b""
            ),
            etag=dict(headers)[b"etag"],
            state=state,
            until=self._now() + SECONDS,
        )
        self._remove(key)
        self._stored[key] = stored
        self._bytes += len(body) + _OVERHEAD_BYTES
        while self._bytes > MOST_BYTES:
            self._remove(next(iter(self._stored)))

    def _remove(self, key: _Key) -> None:
        if (stored := self._stored.pop(key, None)) is not None:
            self._bytes -= len(stored.whole.body) + _OVERHEAD_BYTES


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


def _read(scope: Scope) -> tuple[_Key, Mapping[bytes, bytes]]:
    """Return the key of a request and its headers; of a repeated header the first value, as in the routes."""
    headers: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
    accepted = headers.get(b"accept"), headers.get(b"accept-encoding")
    return (headers.get(b"host"), scope["path"], scope["query_string"], *accepted), headers
