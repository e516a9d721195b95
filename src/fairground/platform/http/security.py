"""What stands before every request: known hosts, no forged forms, safe headers, one form of each path."""

import re
from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.http.cache_control import UNSTORED, WANTED, is_private
from fairground.platform.http.heads import host_of, malformed
from fairground.platform.http.identity import has_learnt_caller
from fairground.platform.http.problems import plain_problem

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
# No path of ours has one, and to the framework's patterns a line break at the end of a path is no part of it.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_loopback(public_url: str) -> bool:
    return host_of(urlsplit(public_url).netloc) in _LOOPBACK_HOSTS


def _origin_of(url: str) -> str:
    """Return the origin of an address as browsers write it: in lower case, without the scheme's own port."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
    return f"{parts.scheme}://{host_of(parts.netloc)}{port}"


class SecurityMiddleware:
    """Refuse foreign hosts and forged requests, and set the headers that every answer has.

    A request that changes something must not come from a page of another site, with or without a cookie: signing in
    needs none, and a foreign form could sign its reader in to another account. Browsers say where a request comes from
    in Sec-Fetch-Site; without it (old ones, or plain http) Origin decides, and without that Referer. A request that
    says nothing of all three is a program's, and passes if it has no cookie. This is the rule of Go's
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
        # Layers below copy the scope. They share this dictionary, in which identity records the caller.
        scope.setdefault("state", {})
        await (refusal or self._app)(scope, receive, self.with_headers(send, scope=scope))

    def with_headers(self, send: Send, *, scope: Scope) -> Send:
        """Return a way to send answers that sets the headers which every answer has."""

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
            return malformed(f"The host {host[:200]!r} is no name or address with a port.")
        if not self.is_ours(host or ""):
            return plain_problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                code="request.wrong_host",
                detail=f"This server does not answer for the host {host!r}." if host else "The request names no host.",
                hint="Use the address in FAIRGROUND_PUBLIC_URL, or set it to the address that people use.",
            )
        if _CONTROL.search(scope["path"]):
            return plain_problem(
                HTTPStatus.NOT_FOUND,
                code="request.not_found",
                detail="There is nothing at this path: it holds a control character.",
                hint="Send the path without it.",
            )
        if scope["method"] not in _SAFE_METHODS and self._is_forged(headers, scope["path"]):
            return plain_problem(
                HTTPStatus.FORBIDDEN,
                code="request.cross_site",
                detail="This request came from another site, or does not say where it came from.",
                hint="Send it from our own pages, or without cookies and with Authorization: Bearer <token>.",
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
        # Referer can be withheld by the page that sends the form, so it only refuses.
        referer = headers.get("referer")
        return "cookie" in headers or (referer is not None and not self._is_our_page(referer))

    def _is_our_page(self, address: str) -> bool:
        try:
            return _origin_of(address) in self._origins
        except ValueError:  # such as a port that is no number
            return False


def _restrict_caching(scope: Scope, headers: MutableHeaders) -> None:
    """Keep an answer out of shared caches unless its route has published it.

    A shared cache stores an answer without Cache-Control for as long as it likes (RFC 9111 §4.2.2), so silence is not
    private. An answer for which the caller was looked up is private whatever its route says.
    """
    cache_control = headers.get("Cache-Control")
    if cache_control is None:
        # The response cache writes this header of the answers that it computes; see `Times.cache_control`.
        if WANTED not in scope:
            headers["Cache-Control"] = UNSTORED
    elif has_learnt_caller(scope) and not is_private(cache_control):
        headers["Cache-Control"] = UNSTORED


class TrailingSlashMiddleware:
    """Let every path be asked for with and without a slash at its end, without a redirect."""

    def __init__(self, app: ASGIApp, *, paths_with_slash: Iterable[str] = ()) -> None:
        self._app = app
        self._paths_with_slash = frozenset(paths_with_slash)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].rstrip("/") or "/"
            if f"{path}/" in self._paths_with_slash:
                path += "/"
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)
