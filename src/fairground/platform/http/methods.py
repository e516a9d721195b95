"""Paths and their methods: trailing slashes, and the responses to HEAD and OPTIONS (RFC 9110 §9.3)."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The catch-all route answers every other path, so it makes no path exist.
_CATCH_ALL: Final = re.compile(r"/\{\w+:\w+\}")


class PathMethods:
    """The methods of all routes by path; a slash at the end of a path is ignored."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Take every whole path with its methods."""
        self._routes = [
            (compile_path(path.rstrip("/") or "/")[0], frozenset(methods))
            for path, methods in routes
            if not _CATCH_ALL.fullmatch(path)
        ]

    def routed(self, path: str) -> frozenset[str]:
        """Return the methods of the routes at a path, or of all routes for `*`; empty if there is no such path."""
        found = (methods for pattern, methods in self._routes if path == "*" or pattern.match(path.rstrip("/") or "/"))
        return frozenset().union(*found)

    def allowed(self, path: str) -> str:
        """Return the value of Allow for a path; empty if there is no such path."""
        routed = self.routed(path)
        return ", ".join(sorted(routed | {"OPTIONS"} | ({"HEAD"} if "GET" in routed else set()))) if routed else ""


class HeadAndOptionsMiddleware:
    """Answer HEAD as GET without its body, and OPTIONS at every path of a route.

    A route that handles HEAD itself, to avoid the work for the body, gets the request as it is. There are no CORS
    headers: no page of another origin may read a response of this server.
    """

    def __init__(self, app: ASGIApp, *, methods: PathMethods) -> None:
        self._app = app
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "OPTIONS" and (allowed := self._methods.allowed(scope["path"])):
            await Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})(scope, receive, send)
            return
        if method == "HEAD":
            if "HEAD" not in self._methods.routed(scope["path"]):
                scope = {**scope, "method": "GET"}
            send = _without_body(send)
        await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


class TrailingSlashMiddleware:
    """Serve every path with and without a slash at its end, without a redirect."""

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
