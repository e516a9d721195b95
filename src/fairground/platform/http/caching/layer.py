"""The cache as an ASGI layer: answers public routes before anything else sees them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from fairground.kernel.errors import Unavailable
from fairground.platform.cache import codings
from fairground.platform.cache.cache import ResponseCache, Served, Serving
from fairground.platform.cache.codings import WORTH_CODING_BYTES
from fairground.platform.cache.entry import Entry, Ready, Variant
from fairground.platform.cache.key import NotCacheable, Wanted
from fairground.platform.http.cache_control import UNSTORED
from fairground.platform.http.caching.calls import CanonicalCalls
from fairground.platform.http.caching.conditional import is_known
from fairground.platform.http.caching.table import CacheTable
from fairground.platform.http.problems import plain_problem, problem_response
from fairground.platform.http.security import SecurityMiddleware

READ_MAX: Final = 20_000  # requests whose reading is remembered
RAW_MAX_BYTES: Final = 1_024  # of such a request: browsers send half of it, and strangers as much as they like
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

    def __init__(
        self, security: SecurityMiddleware, *, cache: ResponseCache, table: CacheTable, public_url: str
    ) -> None:
        self._security = security
        self._cache = cache
        self._table = table
        self._compute = CanonicalCalls(security, public_url=public_url).compute
        # By host, path, query and Accept-Encoding as they came: reading them costs more than all the rest.
        self._reads: dict[_Raw, _Read] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS or not self._cache.is_running:
            await self._security(scope, receive, send)
            return
        raw, if_none_match = _wishes(scope)
        read = self._reads.get(raw) or self._read(raw, scope["path"])
        if read is None:
            await self._security(scope, receive, send)
        elif read.wanted is None:
            self._cache.stats.served[read.route, Serving.BYPASS] += 1
            await self._bypass(read, scope, receive, send)
        else:
            served = await self._cache.answer(read.wanted, self._compute)
            self._cache.stats.served[read.route, served.how] += 1
            await self._respond(scope, receive, send, read=read, served=served, if_none_match=if_none_match)

    def find_ready(self, scope: Scope) -> Ready | None:
        """Return the answer if memory has it, without waiting for anything.

        It is what the call of this layer would send; a server that asks for it first spares a task for each answer.
        """
        if scope["method"] not in _METHODS or not self._cache.is_running:
            return None
        raw, if_none_match = _wishes(scope)
        read = self._reads.get(raw)
        if read is None or read.wanted is None:
            return None
        served = self._cache.find(read.wanted, self._compute)
        if served is None:
            return None
        ready = self._prepare(read, served, method=scope["method"], if_none_match=if_none_match)
        if ready is not None:
            self._cache.stats.served[read.route, served.how] += 1
        return ready

    def _read(self, raw: _Raw, path: str) -> _Read | None:
        """Return what is wanted; None where that is not ours to answer."""
        host, _, query_string, accept_encoding = raw
        found = self._table.find(path)
        if found is None or not self._security.is_ours(host.decode("latin-1")):
            return None
        route, parts = found
        name = route.keys.policy.route
        small = codings.choose(accept_encoding, size_bytes=0)
        large = codings.choose(accept_encoding, size_bytes=WORTH_CODING_BYTES)
        try:
            read = _Read(route.keys.read(parts, query_string), name, "", small, large)
        except NotCacheable as reason:
            return _Read(None, name, str(reason), small, large)
        if sum(map(len, raw)) <= RAW_MAX_BYTES:
            if len(self._reads) >= READ_MAX:
                self._reads.clear()
            self._reads[raw] = read
        return read

    async def _respond(
        self, scope: Scope, receive: Receive, send: Send, *, read: _Read, served: Served, if_none_match: bytes
    ) -> None:
        ready = self._prepare(read, served, method=scope["method"], if_none_match=if_none_match)
        if ready is not None:
            await _send(send, ready.status, ready.headers, ready.body)
        elif served.filled.entry is None:
            await self._pass_on(served, scope, receive, send)
        else:
            await _not_acceptable(scope, receive, self._security.with_headers(send, scope=scope))

    def _prepare(self, read: _Read, served: Served, *, method: str, if_none_match: bytes) -> Ready | None:
        """Return what is sent of a kept answer; None where there is none, or none in a coding that is taken."""
        entry = served.filled.entry
        if entry is None:
            return None
        coding = read.coding_of_large if entry.size_bytes >= WORTH_CODING_BYTES else read.coding_of_small
        if coding is None:
            return None
        variant = entry.variants.get(coding)
        if variant is None:
            variant = entry.make_variant(coding)
            if read.wanted is not None:
                self._cache.weigh(read.wanted, entry)
        is_known_there = if_none_match != b"" and entry.is_found and is_known(if_none_match, etag=variant.etag)
        if is_known_there:
            self._cache.stats.not_modified[read.route] += 1
        ready = _describe(entry, served, variant, now=self._cache.now(), is_known=is_known_there)
        return Ready(ready.status, ready.headers, b"") if method == "HEAD" else ready

    async def _pass_on(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        """Give an answer that is not for keeping: a refusal, or the failure to make one."""
        status = [(b"x-cache", served.how.encode()), (b"cache-status", _NAME + b"; fwd=uri-miss")]
        answer = served.filled.answer
        if answer is None:
            failure = problem_response(Unavailable("The answer could not be made in time."))
            await failure(scope, receive, _adding(status, self._security.with_headers(send, scope=scope)))
            return
        if not any(name == b"cache-control" for name, _ in answer.headers):
            status.append((b"cache-control", UNSTORED.encode()))
        await _send(send, answer.status, [*answer.headers, *status], b"" if scope["method"] == "HEAD" else answer.body)

    async def _bypass(self, read: _Read, scope: Scope, receive: Receive, send: Send) -> None:
        status = b"%s; fwd=bypass; detail=%s" % (_NAME, read.refusal.encode())
        send = _adding([(b"x-cache", b"BYPASS"), (b"cache-status", status)], send)
        await self._security(scope, receive, send)


def _wishes(scope: Scope) -> tuple[_Raw, bytes]:
    """Return host, path, query and Accept-Encoding as they came, and If-None-Match with the values of all its lines."""
    host = accept_encoding = if_none_match = b""
    for name, value in scope["headers"]:
        if name == b"host":
            host = host or value
        elif name == b"accept-encoding":
            accept_encoding = accept_encoding + b"," + value if accept_encoding else value
        elif name == b"if-none-match":
            if_none_match = if_none_match + b"," + value if if_none_match else value
    path = scope.get("raw_path") or scope["path"].encode()
    return (host, path, scope["query_string"], accept_encoding), if_none_match


def _describe(entry: Entry, served: Served, variant: Variant, *, now: float, is_known: bool) -> Ready:
    """Return an answer with its age and how it came about (RFC 9211); without a body to a client that has it."""
    age = int(now - entry.times.created_at)
    is_hit = served.how is Serving.HIT
    if not is_hit or variant.hit_age != age or variant.hit is None or variant.not_modified is None:
        headers = [
            *variant.headers,
            (b"age", b"%d" % max(0, age)),
            (b"cache-status", _cache_status(served, ttl_seconds=int(entry.times.fresh_until - now))),
            (b"x-cache", served.how.encode()),
        ]
        whole = Ready(entry.status, headers, variant.body)
        without_body = [(name, value) for name, value in headers if not name.startswith(b"content-")]
        not_modified = Ready(HTTPStatus.NOT_MODIFIED, without_body, b"")
        if not is_hit:
            return not_modified if is_known else whole
        # For all who ask within this second.
        variant.hit_age, variant.hit, variant.not_modified = age, whole, not_modified
    return variant.not_modified if is_known else variant.hit


def _cache_status(served: Served, *, ttl_seconds: int) -> bytes:
    if served.how is Serving.HIT:
        return b"%s; hit; ttl=%d" % (_NAME, ttl_seconds)
    if served.how is Serving.STALE:
        return b"%s; hit; ttl=%d; detail=%s" % (_NAME, ttl_seconds, b"failed" if served.is_error else b"refreshing")
    return _NAME + b"; fwd=uri-miss; stored" + (b"; collapsed" if served.is_collapsed else b"")


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
