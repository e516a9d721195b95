"""Counters and durations of the requests that routes answer."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.measures import DurationHistogram

UNMATCHED: Final = "(none)"
ROUTE: Final = "route"
"""The key of the route's whole path in the state of a request."""
_METHODS: Final = frozenset(HTTPMethod)


class RequestStats:
    """Counts since the start of the process. Names are of routes, never of paths, so their number is limited."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, str, int]] = Counter()
        """By method, route and status."""
        self.durations: defaultdict[str, DurationHistogram] = defaultdict(DurationHistogram)
        """By route, to the last byte of the response."""
        self.under_way = 0
        self.repeated = 0
        """Immutable responses served from memory; `answered` counts them as well."""


class RequestCounter:
    """Count the requests that reach the framework. The response cache counts those that it answers."""

    def __init__(self, app: ASGIApp, *, stats: RequestStats, templates: Mapping[int, str]) -> None:
        """`templates`: the whole path of each route, by its `id()`, because a route has its path without the prefix."""
        self._app = app
        self._stats = stats
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began_at = time.perf_counter()
        self._stats.under_way += 1
        try:
            await self._app(scope, receive, send_and_record)
        finally:
            self._stats.under_way -= 1
            route = self._templates.get(id(scope.get("route")), UNMATCHED)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            scope.setdefault("state", {})[ROUTE] = route
            self._stats.answered[method, route, status] += 1
            self._stats.durations[route].add(time.perf_counter() - began_at)
