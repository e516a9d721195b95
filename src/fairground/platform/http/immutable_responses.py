"""Serves immutable responses, such as a picture whose address has its version, from memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.http.caching.conditional import is_known
from fairground.platform.http.counting import RequestStats

SECONDS: Final = 10
"""Time for which a response is served without asking the route; clients may keep it for a year anyway."""
MOST_BYTES: Final = 32 * 1024 * 1024
LARGEST_BYTES: Final = 512 * 1024
ASKED_MAX_BYTES: Final = 1024
"""Limit of address and Accept headers together: our pages stay below it, and longer keys would fill the memory."""
_ASKED_MAX: Final = 10_000
_BESIDES_BYTES: Final = 2 * 1024  # memory of a response beside its body: address, headers and dictionary entries
_WISHES: Final = frozenset({b"accept", b"accept-encoding"})
_OF_THE_BODY: Final = frozenset({b"content-length", b"content-type", b"content-encoding"})

_Key = tuple[str, bytes, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class _Kept:
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
        self._asked: dict[_Key, float] = {}
        self._kept: dict[_Key, _Kept] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        # The first value of a repeated header counts, as in the route itself.
        asked = dict(reversed(scope["headers"]))
        key = (scope["path"], scope["query_string"], asked.get(b"accept"), asked.get(b"accept-encoding"))
        if sum(len(part) for part in key if part) > ASKED_MAX_BYTES:
            await self._app(scope, receive, send)
            return
        kept = self._kept.get(key)
        if kept is not None and kept.until > self._now() and b"range" not in asked:
            self._stats.repeated += 1
            scope["route"] = kept.route
            await _give(kept, asked.get(b"if-none-match", b""), send, is_head=scope["method"] == "HEAD")
        elif scope["method"] == "GET" and self._was_asked(key):
            await self._app(scope, receive, _Listener(send, lambda start, body: self._keep(key, scope, start, body)))
        else:
            await self._app(scope, receive, send)

    def _was_asked(self, key: _Key) -> bool:
        """Return whether the key was requested within the last SECONDS, and record this request."""
        asked_at = self._asked.pop(key, None)
        self._asked[key] = self._now()
        if len(self._asked) > _ASKED_MAX:
            del self._asked[next(iter(self._asked))]
        return asked_at is not None and asked_at > self._now() - SECONDS

    def _keep(self, key: _Key, scope: Scope, start: Message, body: bytes) -> None:
        headers = {bytes(name).lower(): bytes(value) for name, value in start["headers"]}
        kept = _Kept(list(headers.items()), headers[b"etag"], body, scope.get("route"), self._now() + SECONDS)
        self._forget(key)
        self._kept[key] = kept
        self._bytes += len(body) + _BESIDES_BYTES
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: _Key) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= len(kept.body) + _BESIDES_BYTES


class _Listener:
    """Passes a response on, and calls `store` after the last part of one that may be kept."""

    def __init__(self, send: Send, store: Callable[[Message, bytes], None]) -> None:
        self._send = send
        self._store = store
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # Outer middleware adds headers to this list in place, so keep a copy.
            self._start = {**message, "headers": list(message["headers"])} if _may_be_kept(message) else None
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message["type"] != "http.response.body" or len(self._body) > LARGEST_BYTES:
                self._start = None
        await self._send(message)
        if self._start is not None and message["type"] == "http.response.body" and not message.get("more_body"):
            self._store(self._start, self._body)


def _may_be_kept(start: Message) -> bool:
    headers = {bytes(name).lower(): bytes(value).lower() for name, value in start["headers"]}
    control = {word.strip() for word in headers.get(b"cache-control", b"").split(b",")}
    varies = {word.strip() for word in headers.get(b"vary", b"").split(b",")} - {b""}
    return (
        start["status"] == HTTPStatus.OK
        and {b"public", b"immutable"} <= control
        and varies <= _WISHES
        and b"etag" in headers
        and b"set-cookie" not in headers
    )


async def _give(kept: _Kept, if_none_match: bytes, send: Send, *, is_head: bool) -> None:
    headers, body, status = list(kept.headers), b"" if is_head else kept.body, HTTPStatus.OK
    if if_none_match and is_known(if_none_match, etag=kept.etag):
        headers, body, status = [each for each in headers if each[0] not in _OF_THE_BODY], b"", HTTPStatus.NOT_MODIFIED
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
