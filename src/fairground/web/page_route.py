"""The router of pages: an error, and an address without a page, get an error page, never a problem document."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException  # noqa: TID251 - caught here, raised by the framework only
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from fairground.kernel.errors import DomainError, Unauthenticated
from fairground.platform.http.identity import Caller
from fairground.platform.http.problems import headers_of, log_reason, status_of
from fairground.web.addresses import PART_PREFIX, PageNotFound, sign_in_path
from fairground.web.rendering import Renderer

log = structlog.get_logger()

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
RefusalPage = Callable[[Request, DomainError], Response]


def page_router(renderer: Renderer, *, refusals: Mapping[type[DomainError], RefusalPage] | None = None) -> APIRouter:
    """Return a router that answers an error with a page: sign-in where a session is missing, else the reason.

    Args:
        refusals: By error, the page that an area shows in place of the reason; parts of pages show the reason.
    """
    pages = refusals or {}

    class PageRoute(APIRoute):
        def get_route_handler(self) -> _Handler:
            show = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await show(request)
                except Unauthenticated:
                    return see_other(sign_in_path(request), request=request)
                except DomainError as error:
                    page = None if request.url.path.startswith(PART_PREFIX) else pages.get(type(error))
                    return page(request, error) if page else refusal_page(renderer, request, error=error)
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


class AddressOfPage(Convertor[str]):
    """Any path except those of programs, which get a problem document instead of a page."""

    regex = "(?!(?:api|sandbox)(?:/|$)).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def not_found_router(renderer: Renderer) -> APIRouter:
    """Return a router that answers every address with an error page. It must be the last one."""
    register_url_convertor("address_of_page", AddressOfPage())
    router = page_router(renderer)

    @router.get("/{address:address_of_page}")
    async def refuse_address(request: Request) -> Response:
        raise PageNotFound(f"There is nothing at {request.url.path[:200]}.")

    return router


def see_other(path: str, *, request: Request | None = None) -> Response:
    """Redirect to another page. A part of a page is replaced by the whole page."""
    if request is not None and request.url.path.startswith(PART_PREFIX):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": path})
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


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
