"""My bookings as a list, by how they stand."""

from math import ceil
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.booking import Bookings, BookingStatus
from fairground.kernel.paging import PAGED_AT_MOST
from fairground.platform.http.identity import SignedIn
from fairground.platform.links import Links
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

PAGE_LENGTH: Final = 20
PAGES_MAX: Final = PAGED_AT_MOST // PAGE_LENGTH
SIDE: Final = "customer"


def routes(site: Site, links: Links) -> APIRouter:
    renderer, bookings = site.renderer, links.of(Bookings)
    router = page_router(renderer)

    @router.get("/me")
    async def lead_on() -> Response:
        return see_other("/me/bookings")

    @router.get("/me/bookings")
    async def list_mine(request: Request, caller: SignedIn) -> Response:
        status = read_status(request)
        page = read_page(request)
        found = await bookings.list_bookings(
            user_id=caller.user_id, side=SIDE, status=status, page=page, limit=PAGE_LENGTH
        )
        pages = ceil(found.total / PAGE_LENGTH)
        return renderer.page(
            request, "me/bookings.html", viewer=caller, bookings=found.data, wanted=status, page=page, pages=pages
        )

    return router


def read_status(request: Request) -> BookingStatus | None:
    """Return the status that the address asks for; None, which is all of them, where it names none that exists."""
    try:
        return BookingStatus(request.query_params.get("status", ""))
    except ValueError:
        return None


def read_page(request: Request) -> int:
    wanted = request.query_params.get("page", "")
    return min(max(1, int(wanted[:9])), PAGES_MAX) if wanted.isascii() and wanted.isdigit() else 1
