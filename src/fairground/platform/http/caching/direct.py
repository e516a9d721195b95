"""Calls the function of a route for the cache, which has read the query already.

The framework would look for the route among all of them and read the query once more: as much work as a list itself.
"""

import inspect
from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fairground.kernel.errors import DomainError
from fairground.platform.cache.key import Wanted
from fairground.platform.cache.policy import policy_of
from fairground.platform.http.cache_control import WANTED
from fairground.platform.http.problems import on_unexpected_error, problem_response


class CallDirectly:
    """Answer what the cache asks of routes that take a query alone and return a whole response; pass on all else."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[APIRoute]) -> None:
        self._app = app
        self._routes = {
            policy.route: route
            for route in routes
            if (policy := policy_of(route.endpoint)) is not None and _takes_query_alone(route)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted: Wanted | None = scope.get(WANTED)
        route = self._routes.get(wanted.route) if wanted is not None else None
        if wanted is None or route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response: Response = await route.endpoint(wanted.query)
        except DomainError as error:
            response = problem_response(error)
        except Exception as error:
            # As the framework does it: it is answered, and then raised.
            await (await on_unexpected_error(Request(scope), error))(scope, receive, send)
            raise
        await response(scope, receive, send)


def _takes_query_alone(route: APIRoute) -> bool:
    signature = inspect.signature(route.endpoint)
    return list(signature.parameters) == ["query"] and signature.return_annotation is Response
