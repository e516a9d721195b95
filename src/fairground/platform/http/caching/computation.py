"""Computing a response for the cache: a canonical request to the application, and its direct dispatch.

The request carries nothing of the caller. Where the policy allows it, the endpoint is called without the framework,
which would match the route and parse the query again: as much work as a list itself.
"""

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.kernel.errors import DomainError
from fairground.platform.cache.policy import CacheRequest, ComputedResponse, policy_of
from fairground.platform.http.cache_control import CACHE_REQUEST
from fairground.platform.http.problems import on_unexpected_error, problem_response

_ASGI: Final = {"version": "3.0", "spec_version": "2.4"}


class ResponseComputer:
    """Computes responses by calling the application inside the process.

    The request has no cookie, no Authorization and no header but Host: a response computed for one caller may be served
    to all, whatever the route's code does.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._public = urlsplit(public_url)

    async def compute(self, request: CacheRequest) -> ComputedResponse:
        """Return the response of the application.

        Raises:
            Exception: The application raised before it had responded.
        """
        messages: list[Message] = []
        is_sent = False

        async def receive() -> Message:
            nonlocal is_sent
            if is_sent:
                return {"type": "http.disconnect"}
            is_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(self._scope(request), receive, send)
        except Exception:
            # The framework responds to an error and then raises it again, for the server's log.
            if not messages or messages[-1]["type"] == "http.response.start" or messages[-1].get("more_body"):
                raise
        start, *bodies = messages
        return ComputedResponse(
            status=start["status"],
            headers=tuple((bytes(name).lower(), bytes(value)) for name, value in start["headers"]),
            body=b"".join(message.get("body", b"") for message in bodies),
        )

    def _scope(self, request: CacheRequest) -> Scope:
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": "GET",
            "scheme": self._public.scheme,
            "path": unquote(request.path),
            "raw_path": request.path.encode(),
            "query_string": request.query_string,
            "root_path": "",
            "headers": [(b"host", self._public.netloc.encode())],
            "client": None,
            "server": None,
            "state": {},
            CACHE_REQUEST: request,
        }


class DirectDispatch:
    """Call the endpoint of a direct route for a canonical request, and pass every other request on."""

    def __init__(
        self, app: ASGIApp, *, routes: Iterable[APIRoute], satisfied: Collection[Callable[..., Any]] = ()
    ) -> None:
        """Take the routes, and leave out those whose policy is not direct.

        Args:
            satisfied: Dependencies that need not run, because every canonical request satisfies them.

        Raises:
            ValueError: A direct route needs more than its query, or does not return a Response.
        """
        self._app = app
        self._routes: dict[str, APIRoute] = {}
        for route in routes:
            policy = policy_of(route.endpoint)
            if policy is not None and policy.is_direct:
                _refuse_more_than_query(route, satisfied=satisfied)
                self._routes[policy.route] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: CacheRequest | None = scope.get(CACHE_REQUEST)
        route = self._routes.get(request.route) if request is not None else None
        if request is None or route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response: Response = await route.endpoint(request.query)
        except DomainError as error:
            response = problem_response(error)
        except Exception as error:
            # As in the framework: it is answered, and then raised.
            await (await on_unexpected_error(Request(scope), error))(scope, receive, send)
            raise
        await response(scope, receive, send)


def _refuse_more_than_query(route: APIRoute, *, satisfied: Collection[Callable[..., Any]]) -> None:
    signature = inspect.signature(route.endpoint)
    if list(signature.parameters) != ["query"] or signature.return_annotation is not Response:
        raise ValueError(
            f"{route.path} has a direct cache policy, so it must take `query` alone and return a Response."
        )
    skipped = [each.dependency for each in route.dependencies if each.dependency not in satisfied]
    if skipped:
        raise ValueError(f"{route.path} has a direct cache policy, which would skip its dependency {skipped[0]!r}.")
