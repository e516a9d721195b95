"""The route class of the pages: what a page refuses is answered by a page, never by a problem document."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, StringConstraints
from starlette.exceptions import HTTPException  # noqa: TID251 - caught here, raised by the framework only
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from fairground.kernel.errors import DomainError, NotFound, Unauthenticated
from fairground.platform.http.identity import Caller
from fairground.platform.http.problems import headers_of, log_reason, status_of
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical
from fairground.web.rendering import Renderer

PART_PREFIX = "/_f/"

log = structlog.get_logger()

_Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class PageNotFound(NotFound):
    code = "web.page_not_found"


class VerticalPath(BaseModel):
    """The part of a path that names a vertical."""

    vertical: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


def existing_vertical(verticals: Verticals, key: str) -> Vertical:
    """Return the pack.

    Raises:
        PageNotFound: There is none of this name.
    """
    pack = verticals.find(key)
    if pack is None:
        raise PageNotFound(f"There is no area called {key[:40]!r} here.")
    return pack


def page_router(renderer: Renderer) -> APIRouter:
    """Return a router whose errors are pages: the sign-in page where a session is needed, else the reason."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> _Endpoint:
            show = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await show(request)
                except Unauthenticated:
                    return see_other(sign_in_path(request), request=request)
                except DomainError as error:
                    return refusal_page(renderer, request, error=error)
                except RequestValidationError:
                    # A page has no body or query that FastAPI checks, so only an id in the path can be wrong.
                    return refusal_page(renderer, request, error=PageNotFound("There is nothing at this address."))
                except HTTPException as refused:
                    # A form that is too large, or that cannot be read.
                    return _error_page(renderer, request, status=HTTPStatus(refused.status_code), error=None)
                except ClientDisconnect:
                    # The client is gone, and an error page takes long to render.
                    return Response(status_code=HTTPStatus.BAD_REQUEST)
                except Exception:
                    # The last place that can still answer with a page; it is logged as the framework would.
                    log.exception("page.failed", method=request.method, path=request.url.path)
                    return _error_page(renderer, request, status=HTTPStatus.INTERNAL_SERVER_ERROR, error=None)

            return answer

    return APIRouter(route_class=PageRoute, include_in_schema=False)


def see_other(path: str, *, request: Request | None = None) -> Response:
    """Send the reader on to another page; from inside a part of a page, as a whole page."""
    if request is not None and request.url.path.startswith(PART_PREFIX):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": path})
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def sign_in_path(request: Request) -> str:
    """Return the address of the sign-in page, which leads back to the page that was asked for."""
    if request.method != "GET" or request.url.path.startswith(PART_PREFIX):
        return "/login"
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?{urlencode({'next': wanted})}"


def local_path(wanted: str | None, *, otherwise: str) -> str:
    """Return a path of ours that a link asked to be led to; never another site's address."""
    # Browsers read both "//host" and "/\host" as another site.
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return otherwise


def refusal_page(renderer: Renderer, request: Request, *, error: DomainError) -> Response:
    log_reason(error)
    return _error_page(renderer, request, status=status_of(error), error=error)


def _error_page(renderer: Renderer, request: Request, *, status: HTTPStatus, error: DomainError | None) -> Response:
    headers = headers_of(error) if error is not None else {}
    if request.url.path.startswith(PART_PREFIX):
        return renderer.part("errors/part.html", status=status, headers=headers, code=int(status), error=error)
    viewer: Caller | None = getattr(request.state, "caller", None)
    return renderer.page(
        request, "errors/page.html", status=status, headers=headers, viewer=viewer, code=int(status), error=error
    )
