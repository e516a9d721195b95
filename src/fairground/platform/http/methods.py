"""Which methods each path takes, and the answers to HEAD and OPTIONS that follow from it (RFC 9110 §9.3)."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# It answers what no other route does, so no path exists because of it.
_CATCH_ALL: Final = re.compile(r"/\{\w+:\w+\}")


class PathMethods:
    """The methods of all routes by path; a slash at the end of a path means nothing."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Take every path as it is served, with its methods."""
        self._routes = [
            (compile_path(path.rstrip("/") or "/")[0], frozenset(methods))
            for path, methods in routes
            if not _CATCH_ALL.fullmatch(path)
        ]

    def routed(self, path: str) -> frozenset[str]:
        """Return the methods that routes take at a path, `*` being all paths; nothing if there is no such path."""
        found = (methods for pattern, methods in self._routes if path == "*" or pattern.match(path.rstrip("/") or "/"))
        return frozenset().union(*found)

    def allowed(self, path: str) -> str:
        """Return the value of Allow for a path; nothing if there is no such path."""
        routed = self.routed(path)
        return ", ".join(sorted(routed | {"OPTIONS"} | ({"HEAD"} if "GET" in routed else set()))) if routed else ""


class HeadAndOptionsMiddleware:
    """Answer HEAD as GET without its body, and OPTIONS at every path that there is.

    A route that takes HEAD itself, to spare the work for the body, is asked itself. There are no CORS headers: no page
    of another origin may read what this server answers.
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
