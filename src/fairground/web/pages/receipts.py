"""The receipt of a booking, for its customer: a page that prints on one sheet."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.booking import Bookings
from fairground.platform.http.identity import SignedIn
from fairground.platform.module import Links
from fairground.web.page_route import page_router
from fairground.web.site import Site


def routes(site: Site, links: Links) -> APIRouter:
    renderer, bookings = site.renderer, links.of(Bookings)
    router = page_router(renderer)

    @router.get("/me/bookings/{booking_id}/receipt")
    async def show_receipt(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        receipt = await bookings.get_receipt(user_id=caller.user_id, booking_id=booking_id)
        # For the words of its place, which are those of the page of the booking.
        booking = await bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)
        return renderer.page(request, "one_booking/receipt.html", viewer=caller, receipt=receipt, booking=booking)

    return router
