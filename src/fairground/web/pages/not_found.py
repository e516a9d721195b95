"""Answers every other address a reader may come by with a page; the API keeps its own answer."""

from fastapi import APIRouter, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from fairground.platform.links import Links
from fairground.web.page_route import PageNotFound, page_router
from fairground.web.site import Site


class AddressOfPage(Convertor[str]):
    """Any path except those of programs, which get a problem document instead of a page."""

    regex = "(?!(?:api|sandbox)(?:/|$)).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    register_url_convertor("address_of_page", AddressOfPage())
    router = page_router(site.renderer)

    @router.get("/{address:address_of_page}")
    async def refuse_address(request: Request) -> Response:
        raise PageNotFound(f"There is nothing at {request.url.path[:200]}.")

    return router
