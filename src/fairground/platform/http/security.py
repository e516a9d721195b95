"""Security of every request: known hosts, no cross-site changes, safe headers, and the session cookie."""

import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.kernel.errors import Forbidden
from fairground.platform.http.cache_control import CACHE_REQUEST, UNSTORED, is_private
from fairground.platform.http.identity import has_looked_up_caller
from fairground.platform.http.problems import plain_problem
from fairground.platform.http.request_heads import host_of, malformed

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
# No path of ours contains one, and the framework's patterns ignore a line break at the end of a path.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# The prefix makes browsers refuse the cookie from any other host, path or plain connection.
COOKIE_NAME: Final = "__Host-fairground_session"
# The server decides when a session ends; the cookie only has to outlive it, and browsers keep none longer than this.
_COOKIE_MAX_AGE_SECONDS: Final = 400 * 24 * 60 * 60


def is_loopback(public_url: str) -> bool:
    return host_of(urlsplit(public_url).netloc) in _LOOPBACK_HOSTS


def _origin_of(url: str) -> str:
    """Return the origin of an address as browsers write it: in lower case, without the scheme's own port."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
    return f"{parts.scheme}://{host_of(parts.netloc)}{port}"


class SecurityMiddleware:
    """Refuse foreign hosts and forged requests, and set the headers of every response.

    A request that changes something must not come from a page of another site, with or without a cookie: signing in
    needs none, and a foreign form could sign its user in to another account. Browsers name the origin of a request in
    Sec-Fetch-Site; without it (old ones, or plain http) Origin decides, and without that Referer. A request without
    all three is a program's, and passes if it has no cookie. This is the rule of Go's
    CrossOriginProtection, with the configured origin in place of Host, and stricter where there is a cookie.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, exempt_paths: Collection[str] = ()) -> None:
        self._app = app
        self._exempt_paths = frozenset(exempt_paths)
        public = urlsplit(public_url)
        self._origins = {_origin_of(public_url)}
        self._hosts = {host_of(public.netloc)}
        if is_loopback(public_url):
            self._hosts |= _LOOPBACK_HOSTS
            port = f":{public.port}" if public.port else ""
            self._origins |= {_origin_of(f"{public.scheme}://{host}{port}") for host in _LOOPBACK_HOSTS}
        self._is_https = public.scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        refusal = self._refusal(scope)
        # Inner middleware copies the scope but shares this dictionary, in which identity records the caller.
        scope.setdefault("state", {})
        await (refusal or self._app)(scope, receive, self.with_headers(send, scope=scope))

    def with_headers(self, send: Send, *, scope: Scope) -> Send:
        """Return a `send` that adds the headers of every response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._is_https:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                _restrict_caching(scope, headers)
            await send(message)

        return send_with_headers

    def is_ours(self, host: str) -> bool:
        """Return whether a Host header names this server."""
        return host_of(host) in self._hosts

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host")
        if host is not None and host_of(host) is None:
            return malformed(f"The host {host[:200]!r} is not valid.")
        if not self.is_ours(host or ""):
            return plain_problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                code="request.wrong_host",
                detail=f"Unknown host {host!r}." if host else "The request has no Host header.",
                hint="Use the address in FAIRGROUND_PUBLIC_URL, or set it to your public address.",
            )
        if _CONTROL.search(scope["path"]):
            return plain_problem(
                HTTPStatus.NOT_FOUND,
                code="request.not_found",
                detail="The path contains a control character.",
                hint="Send the path without it.",
            )
        if scope["method"] not in _SAFE_METHODS and self._is_forged(headers, scope["path"]):
            return plain_problem(
                HTTPStatus.FORBIDDEN,
                code="request.cross_site",
                detail="This request came from another site.",
                hint="Use our own pages, or send Authorization: Bearer <token> without cookies.",
            )
        return None

    def _is_forged(self, headers: Headers, path: str) -> bool:
        if path in self._exempt_paths:
            return False
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site not in {"same-origin", "none"}
        if origin is not None:
            return origin.lower() not in self._origins
        # A page can withhold Referer, so it only refuses.
        referer = headers.get("referer")
        return "cookie" in headers or (referer is not None and not self._is_our_page(referer))

    def _is_our_page(self, address: str) -> bool:
        try:
            return _origin_of(address) in self._origins
        except ValueError:  # such as a port that is no number
            return False


def _restrict_caching(scope: Scope, headers: MutableHeaders) -> None:
    """Keep a response out of shared caches unless its route allows them.

    A shared cache may store a response without Cache-Control (RFC 9111 §4.2.2), so the default must be private. A
    response for which the caller was looked up is private even if its route allows shared caches.
    """
    cache_control = headers.get("Cache-Control")
    if cache_control is None:
        # The response cache adds the header to the responses that it stores; see `Times.cache_control`.
        if CACHE_REQUEST not in scope:
            headers["Cache-Control"] = UNSTORED
    elif has_looked_up_caller(scope) and not is_private(cache_control):
        headers["Cache-Control"] = UNSTORED


class CookieRefused(Forbidden):
    code = "identity.cookie_refused"


class SessionCookie:
    """Stores a session's secret in the browser, if the connection is encrypted."""

    def __init__(self, *, public_url: str) -> None:
        self._public_url = public_url
        self.is_on_https = urlsplit(public_url).scheme == "https"
        self._is_safe = self.is_on_https or is_loopback(public_url)

    def refuse_where_unsafe(self) -> None:
        """Refuse a sign-in before its password is checked.

        Raises:
            CookieRefused: The public URL has no encryption, so browsers would refuse the cookie.
        """
        if not self._is_safe:
            raise CookieRefused(
                f"Signing in needs HTTPS, and {self._public_url} doesn't use it.",
                hint="Set up HTTPS and set FAIRGROUND_PUBLIC_URL to its address. Programs can sign in with POST "
                "/api/v1/auth/login?mode=token.",
            )

    def read(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(COOKIE_NAME)

    def set(self, response: Response, *, secret: str) -> None:
        response.set_cookie(
            COOKIE_NAME, secret, max_age=_COOKIE_MAX_AGE_SECONDS, path="/", secure=True, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(COOKIE_NAME, path="/", secure=True, httponly=True, samesite="lax")
