"""The ASGI middleware of the response cache: answers requests for cached routes before all other middleware."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from fairground.kernel.errors import Unavailable
from fairground.platform.cache import codings
from fairground.platform.cache.cache import CacheResult, CacheStatus, ResponseCache
from fairground.platform.cache.codings import WORTH_CODING_BYTES
from fairground.platform.cache.entry import Entry, PreparedResponse, Variant
from fairground.platform.cache.policy import CacheRequest
from fairground.platform.http.cache_control import UNSTORED, matches_etag
from fairground.platform.http.caching.computation import ResponseComputer
from fairground.platform.http.caching.head_cache import Reuse
from fairground.platform.http.caching.immutable_responses import ImmutableResponseCache
from fairground.platform.http.caching.routes import CachedRoutes, NotCacheable
from fairground.platform.http.problems import plain_problem, problem_response
from fairground.platform.http.security import SecurityMiddleware

PARSED_MAX: Final = 20_000  # requests that are stored in parsed form
RAW_MAX_BYTES: Final = 1_024  # of such a request: browsers send half of it; longer ones are parsed each time
_METHODS: Final = frozenset({"GET", "HEAD"})
_NAME: Final = b"fairground"

_Headers = list[tuple[bytes, bytes]]
_RawRequest = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request for a cached route: the canonical request, or why it is not cached, and the coding of the response."""

    request: CacheRequest | None
    route: str
    refusal: str
    coding_of_small: str | None
    coding_of_large: str | None


class CacheMiddleware:
    """Answer GET and HEAD of the cached routes from the cache, and pass every other request on.

    The response depends on path, query, Accept-Encoding and If-None-Match alone, and Host must be one of ours.
    """

    def __init__(
        self,
        security: SecurityMiddleware,
        *,
        immutable: ImmutableResponseCache,
        cache: ResponseCache,
        routes: CachedRoutes,
        public_url: str,
    ) -> None:
        self._security = security
        self._immutable = immutable
        self._cache = cache
        self._routes = routes
        self._compute = ResponseComputer(security, public_url=public_url).compute
        # By the raw host, path, query and Accept-Encoding: parsing them costs more than the rest of a hit.
        self._parsed: dict[_RawRequest, ParsedRequest] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS or not self._cache.is_running:
            await self._immutable(scope, receive, send)
            return
        raw, if_none_match = _cache_headers(scope)
        parsed = self._parsed.get(raw) or self._parse(raw, scope["path"])
        if parsed is None:
            await self._immutable(scope, receive, send)
        elif parsed.request is None:
            self._cache.stats.served[parsed.route, CacheStatus.BYPASS] += 1
            await self._bypass(parsed, scope, receive, send)
        else:
            result = await self._cache.get(parsed.request, self._compute)
            self._cache.stats.served[parsed.route, result.status] += 1
            await self._respond(scope, receive, send, parsed=parsed, result=result, if_none_match=if_none_match)

    def find_prepared(self, scope: Scope) -> PreparedResponse | None:
        """Return the response if memory has it, without waiting for anything.

        It equals the response of `__call__`; a server that tries this first needs no task for a hit.
        """
        if scope["method"] not in _METHODS or not self._cache.is_running:
            return None
        raw, if_none_match = _cache_headers(scope)
        parsed = self._parsed.get(raw)
        if parsed is None or parsed.request is None:
            return self._immutable.find_prepared(scope) if parsed is None else None
        result = self._cache.find(parsed.request, self._compute)
        if result is None:
            return None
        prepared = self._prepare(parsed, result, method=scope["method"], if_none_match=if_none_match)
        if prepared is not None:
            self._cache.stats.served[parsed.route, result.status] += 1
        return prepared

    @property
    def generation(self) -> int:
        """Differs after every invalidation of anything."""
        return self._cache.tags.invalidations

    def find_reuse(self, scope: Scope, prepared: PreparedResponse) -> Reuse | None:
        """Return for how long the response that `find_prepared` has just returned answers the same request."""
        raw, _ = _cache_headers(scope)
        parsed = self._parsed.get(raw)
        if parsed is None or parsed.request is None:
            return self._immutable.find_reuse(scope, prepared) if parsed is None else None
        seconds = self._cache.unchanged_seconds(parsed.request)
        if seconds is None:
            return None
        stats, route = self._cache.stats, parsed.route
        is_not_modified = prepared.status == HTTPStatus.NOT_MODIFIED

        def count() -> None:
            stats.served[route, CacheStatus.HIT] += 1
            if is_not_modified:
                stats.not_modified[route] += 1

        return Reuse(seconds, count)

    def _parse(self, raw: _RawRequest, path: str) -> ParsedRequest | None:
        """Return the parsed request; None if its route is not cached or its host is not ours."""
        host, _, query_string, accept_encoding = raw
        found = self._routes.find(path)
        if found is None or not self._security.is_ours(host.decode("latin-1")):
            return None
        route, parts = found
        name = route.policy.route
        small = codings.choose_coding(accept_encoding, size_bytes=0)
        large = codings.choose_coding(accept_encoding, size_bytes=WORTH_CODING_BYTES)
        try:
            parsed = ParsedRequest(route.parse(parts, query_string), name, "", small, large)
        except NotCacheable as reason:
            return ParsedRequest(None, name, str(reason), small, large)
        if sum(map(len, raw)) <= RAW_MAX_BYTES:
            if len(self._parsed) >= PARSED_MAX:
                self._parsed.clear()
            self._parsed[raw] = parsed
        return parsed

    async def _respond(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        parsed: ParsedRequest,
        result: CacheResult,
        if_none_match: bytes,
    ) -> None:
        prepared = self._prepare(parsed, result, method=scope["method"], if_none_match=if_none_match)
        if prepared is not None:
            await _send(send, prepared.status, prepared.headers, prepared.body)
        elif result.entry is None:
            await self._send_unstored(result, scope, receive, send)
        else:
            await _send_not_acceptable(scope, receive, self._security.with_headers(send, scope=scope))

    def _prepare(
        self, parsed: ParsedRequest, result: CacheResult, *, method: str, if_none_match: bytes
    ) -> PreparedResponse | None:
        """Return the response of an entry; None where there is no entry, or the client accepts no coding of it."""
        entry = result.entry
        if entry is None:
            return None
        coding = parsed.coding_of_large if entry.size_bytes >= WORTH_CODING_BYTES else parsed.coding_of_small
        if coding is None:
            return None
        variant = entry.variants.get(coding)
        if variant is None:
            variant = entry.make_variant(coding)
            if parsed.request is not None:
                self._cache.update_size(parsed.request, entry)
        is_not_modified = if_none_match != b"" and entry.is_found and matches_etag(if_none_match, etag=variant.etag)
        if is_not_modified:
            self._cache.stats.not_modified[parsed.route] += 1
        prepared = _prepare_variant(entry, result, variant, now=self._cache.now(), is_not_modified=is_not_modified)
        return PreparedResponse(prepared.status, prepared.headers, b"") if method == "HEAD" else prepared

    async def _send_unstored(self, result: CacheResult, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a response that is not stored, such as a refusal, or the 503 after a failure to compute one."""
        status = [(b"x-cache", result.status.encode()), (b"cache-status", _NAME + b"; fwd=uri-miss")]
        response = result.response
        if response is None:
            failure = problem_response(Unavailable("The server took too long to respond."))
            await failure(scope, receive, _adding(status, self._security.with_headers(send, scope=scope)))
            return
        if not any(name == b"cache-control" for name, _ in response.headers):
            status.append((b"cache-control", UNSTORED.encode()))
        body = b"" if scope["method"] == "HEAD" else response.body
        await _send(send, response.status, [*response.headers, *status], body)

    async def _bypass(self, parsed: ParsedRequest, scope: Scope, receive: Receive, send: Send) -> None:
        status = b"%s; fwd=bypass; detail=%s" % (_NAME, parsed.refusal.encode())
        send = _adding([(b"x-cache", b"BYPASS"), (b"cache-status", status)], send)
        await self._security(scope, receive, send)


def _cache_headers(scope: Scope) -> tuple[_RawRequest, bytes]:
    """Return raw host, path, query and Accept-Encoding, and If-None-Match with the values of all its lines."""
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


def _prepare_variant(
    entry: Entry, result: CacheResult, variant: Variant, *, now: float, is_not_modified: bool
) -> PreparedResponse:
    """Return the response with Age, Cache-Status (RFC 9211) and X-Cache; without a body if it is a 304."""
    age = int(now - entry.times.created_at)
    is_hit = result.status is CacheStatus.HIT
    if not is_hit or variant.hit_age != age or variant.hit is None or variant.not_modified is None:
        headers = [
            *variant.headers,
            (b"age", b"%d" % max(0, age)),
            (b"cache-status", _cache_status(result, ttl_seconds=int(entry.times.fresh_until - now))),
            (b"x-cache", result.status.encode()),
        ]
        whole = PreparedResponse(entry.status, headers, variant.body)
        without_body = [(name, value) for name, value in headers if not name.startswith(b"content-")]
        not_modified = PreparedResponse(HTTPStatus.NOT_MODIFIED, without_body, b"")
        if not is_hit:
            return not_modified if is_not_modified else whole
        # For all hits within this second.
        variant.hit_age, variant.hit, variant.not_modified = age, whole, not_modified
    return variant.not_modified if is_not_modified else variant.hit


def _cache_status(result: CacheResult, *, ttl_seconds: int) -> bytes:
    if result.status is CacheStatus.HIT:
        return b"%s; hit; ttl=%d" % (_NAME, ttl_seconds)
    if result.status is CacheStatus.STALE:
        return b"%s; hit; ttl=%d; detail=%s" % (_NAME, ttl_seconds, b"failed" if result.is_error else b"refreshing")
    return _NAME + b"; fwd=uri-miss; stored" + (b"; collapsed" if result.is_collapsed else b"")


async def _send_not_acceptable(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = plain_problem(
        HTTPStatus.NOT_ACCEPTABLE,
        code="request.coding_refused",
        detail="Accept-Encoding refuses every encoding, including none.",
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
