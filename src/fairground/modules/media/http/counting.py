"""Counts how requests for pictures end, those too that never reach an endpoint because of how they ask."""

from collections.abc import Callable, Coroutine
from http import HTTPMethod, HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from fairground.kernel.errors import Invalid, NotFound, Unavailable
from fairground.platform.images.stats import PictureStats, Shown

_BY_STATUS = {HTTPStatus.NOT_MODIFIED: Shown.NOT_MODIFIED, HTTPStatus.FOUND: Shown.REDIRECTED}


def counted_route(stats: PictureStats) -> type[APIRoute]:
    """Return the class of routes that show pictures; an endpoint that has one made says so with `mark_rendered`."""

    class CountedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            show = super().get_route_handler()

            async def answer(request: Request) -> Response:
                outcome = Shown.FAILED
                try:
                    response = await show(request)
                    kept = Shown.RENDERED if getattr(request.state, "is_rendered", False) else Shown.KEPT
                    outcome = _BY_STATUS.get(HTTPStatus(response.status_code), kept)
                    if request.method == HTTPMethod.GET:
                        stats.shown_bytes += len(response.body)
                    return response
                except (RequestValidationError, NotFound, Invalid):
                    outcome = Shown.REFUSED
                    raise
                except Unavailable:
                    outcome = Shown.BUSY
                    raise
                finally:
                    stats.shown[outcome] += 1

            return answer

    return CountedRoute


def mark_rendered(request: Request) -> None:
    """Say that the picture was not there when the request came."""
    request.state.is_rendered = True
