"""The cache as an ASGI layer: answers public routes before anything else sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from fairground.kernel.errors import Unavailable
from fairground.platform.cache import codings
from fairground.platform.cache.cache import ResponseCache, Served, Serving
from fairground.platform.cache.codings import WORTH_CODING_BYTES
from fairground.platform.cache.entry import Entry, Variant
from fairground.platform.cache.key import NotCacheable, Wanted
from fairground.platform.http.caching.calls import CanonicalCalls
from fairground.platform.http.caching.conditional import is_known
from fairground.platform.http.caching.table import CacheTable
from fairground.platform.http.problems import plain_problem, problem_response
from fairground.platform.http.shield import Shield

READ_MAX: Final = 20_000  # requests whose reading is remembered, of at most a few hundred bytes each
_METHODS: Final = frozenset({"GET", "HEAD"})
_NAME: Final = b"fairground"

_Headers = list[tuple[bytes, bytes]]
_Raw = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was understood of a request's raw bytes: what it wants, in which coding; or why it is not cached."""

    wanted: Wanted | None
    route: str
    refusal: str
    coding_of_small: str | None
    coding_of_large: str | None


class CacheLayer:
    """Answer GET and HEAD of the cached routes from the cache, and pass everything else on.

    Nothing of a request decides about its answer but path, query, Accept-Encoding and If-None-Match, once its host is
    one of ours.
    """

    def __init__(self, shield: Shield, *, cache: ResponseCache, table: CacheTable, public_url: str) -> None:
        self._shield = shield
        self._cache = cache
        self._table = table
        self._compute = CanonicalCalls(shield, public_url=public_url).compute
        # By host, path, query and Accept-Encoding as they came: reading them costs more than all the rest.
        self._reads: dict[_Raw, _Read] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS or not self._cache.is_running:
            await self._shield(scope, receive, send)
            return
        host, accept_encoding, if_none_match = _wishes(scope["headers"])
        raw = (host, scope.get("raw_path") or scope["path"].encode(), scope["query_string"], accept_encoding)
        read = self._reads.get(raw) or self._read(raw, scope["path"])
        if read is None:
            await self._shield(scope, receive, send)
        elif read.wanted is None:
            self._cache.stats.served[read.route, Serving.BYPASS] += 1
            await self._bypass(read, scope, receive, send)
        else:
            served = self._cache.find(read.wanted, self._compute) or await self._cache.answer(
                read.wanted, self._compute
            )
            self._cache.stats.served[read.route, served.how] += 1
            await self._respond(scope, receive, send, read=read, served=served, if_none_match=if_none_match)

    def _read(self, raw: _Raw, path: str) -> _Read | None:
        """Return what is wanted; None where that is not ours to answer."""
        host, _, query_string, accept_encoding = raw
        found = self._table.find(path)
        if found is None or not self._shield.is_ours(host.decode("latin-1")):
            return None
        route, parts = found
        name = route.keys.policy.route
        small = codings.choose(accept_encoding, size_bytes=0)
        large = codings.choose(accept_encoding, size_bytes=WORTH_CODING_BYTES)
        try:
            read = _Read(route.keys.read(parts, query_string), name, "", small, large)
        except NotCacheable as reason:
            return _Read(None, name, str(reason), small, large)
        if len(self._reads) >= READ_MAX:
            self._reads.clear()
        self._reads[raw] = read
        return read

    async def _respond(
        self, scope: Scope, receive: Receive, send: Send, *, read: _Read, served: Served, if_none_match: bytes
    ) -> None:
        entry = served.filled.entry
        if entry is None:
            await self._pass_on(served, scope, receive, send)
            return
        coding = read.coding_of_large if entry.size_bytes >= WORTH_CODING_BYTES else read.coding_of_small
        if coding is None:
            await _not_acceptable(scope, receive, self._shield.with_headers(send))
            return
        variant = entry.variants.get(coding)
        if variant is None:
            variant = entry.make_variant(coding)
            if read.wanted is not None:
                self._cache.weigh(read.wanted, entry)
        headers, not_modified_headers = _describe(entry, served, variant, now=self._cache.now())
        if if_none_match and entry.is_found and is_known(if_none_match, etag=variant.etag):
            self._cache.stats.not_modified[read.route] += 1
            await _send(send, HTTPStatus.NOT_MODIFIED, not_modified_headers, b"")
            return
        await _send(send, entry.status, headers, b"" if scope["method"] == "HEAD" else variant.body)

    async def _pass_on(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        """Give an answer that is not for keeping: a refusal, or the failure to make one."""
        status = [(b"x-cache", served.how.encode()), (b"cache-status", _NAME + b"; fwd=uri-miss")]
        answer = served.filled.answer
        if answer is None:
            failure = problem_response(Unavailable("The answer could not be made in time."))
            send = self._shield.with_headers(send)
            await failure(scope, receive, _adding([*status, (b"cache-control", b"no-store")], send))
            return
        await _send(send, answer.status, [*answer.headers, *status], b"" if scope["method"] == "HEAD" else answer.body)

    async def _bypass(self, read: _Read, scope: Scope, receive: Receive, send: Send) -> None:
        status = b"%s; fwd=bypass; detail=%s" % (_NAME, read.refusal.encode())
        send = _adding([(b"x-cache", b"BYPASS"), (b"cache-status", status)], send)
        if scope["method"] == "HEAD":
            # The routes know GET alone; the answer is the same but for its body.
            scope, send = {**scope, "method": "GET"}, _bodiless(send)
        await self._shield(scope, receive, send)


def _wishes(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes, bytes]:
    """Return Host, Accept-Encoding and If-None-Match, the latter with the values of all their lines."""
    host = accept_encoding = if_none_match = b""
    for name, value in headers:
        if name == b"host":
            host = host or value
        elif name == b"accept-encoding":
            accept_encoding = accept_encoding + b"," + value if accept_encoding else value
        elif name == b"if-none-match":
            if_none_match = if_none_match + b"," + value if if_none_match else value
    return host, accept_encoding, if_none_match


def _describe(entry: Entry, served: Served, variant: Variant, *, now: float) -> tuple[_Headers, _Headers]:
    """Return all headers of an answer: those of the variant, its age, and how it came about (RFC 9211).

    The second ones are for a client that has the body.
    """
    age = int(now - entry.times.created_at)
    if served.how is Serving.HIT and variant.hit_age == age:
        return variant.hit_headers, variant.not_modified_headers
    ttl = entry.times.fresh_until - now
    if served.how is Serving.HIT:
        status = b"%s; hit; ttl=%d" % (_NAME, ttl)
    elif served.how is Serving.STALE:
        status = b"%s; hit; ttl=%d; detail=%s" % (_NAME, ttl, b"failed" if served.is_error else b"refreshing")
    else:
        status = _NAME + b"; fwd=uri-miss; stored" + (b"; collapsed" if served.is_collapsed else b"")
    headers = [
        *variant.headers,
        (b"age", b"%d" % max(0, age)),
        (b"cache-status", status),
        (b"x-cache", served.how.encode()),
    ]
    without_body = [(name, value) for name, value in headers if not name.startswith(b"content-")]
    if served.how is Serving.HIT:
        # For all who ask within this second.
        variant.hit_age, variant.hit_headers, variant.not_modified_headers = age, headers, without_body
    return headers, without_body


async def _not_acceptable(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = plain_problem(
        HTTPStatus.NOT_ACCEPTABLE,
        code="request.coding_refused",
        detail="Accept-Encoding refuses every coding that there is, the plain body included.",
        hint="Allow one of br, zstd, gzip and identity.",
    )
    await refusal(scope, receive, _adding([(b"vary", b"accept-encoding"), (b"x-cache", b"BYPASS")], send))


async def _send(send: Send, status: int, headers: _Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _adding(headers: _Headers, send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return send_more


def _bodiless(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
