"""The third step of a booking: what it costs and under which terms, the card, the bank's question, and the result."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.booking import Bookings, BookingStatus, BookingView, HoldLapsed, PayIn
from fairground.contracts.payments import PaymentFailed, PaymentStatus
from fairground.contracts.providers import Providers
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.links import Links
from fairground.web.forms import Form, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.pictures import find_picture
from fairground.web.rendering import UNSTORED, Renderer
from fairground.web.site import Site

# The sandbox's money is not real, and neither are its cards: docs.stripe.com/testing names them.
TEST_CARDS: Final = (
    ("pm_card_visa", "Visa •••• 4242"),
    ("pm_card_mastercard", "Mastercard •••• 4444"),
    ("pm_card_authenticationRequired", "Visa •••• 3184"),
    ("pm_card_visa_chargeDeclined", "Visa •••• 0002"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "Visa •••• 9995"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PayingPages:
    renderer: Renderer
    catalog: Providers
    bookings: Bookings
    has_test_money: bool

    async def find(self, caller: Caller, *, booking_id: UUID) -> BookingView:
        return await self.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)

    async def show(
        self, request: Request, caller: Caller, *, booking: BookingView, form: Form, status: int = 200
    ) -> Response:
        return self.renderer.page(
            request,
            "booking/pay.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            booking=booking,
            picture=await find_picture(self.catalog, slug=booking.provider_slug),
            cards=TEST_CARDS if self.has_test_money else (),
            form=form,
        )

    async def show_lapsed(self, request: Request, caller: Caller, *, booking: BookingView) -> Response:
        """Say that the time is no longer held, and lead back to the free times of that service and day."""
        return self.renderer.page(
            request,
            "booking/lapsed.html",
            status=HTTPStatus.CONFLICT,
            headers=UNSTORED,
            viewer=caller,
            booking=booking,
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = PayingPages(
        renderer=site.renderer,
        catalog=links.of(Providers),
        bookings=links.of(Bookings),
        has_test_money=site.has_test_money,
    )
    router = page_router(pages.renderer)

    @router.get("/book/h/{booking_id}")
    async def ask_payment(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.find(caller, booking_id=booking_id)
        if booking.status is BookingStatus.EXPIRED:
            return await pages.show_lapsed(request, caller, booking=booking)
        if booking.status is not BookingStatus.HELD:
            return see_other(_done(booking_id))
        form = Form(values={"payment_method": TEST_CARDS[0][0]})
        if booking.payment and booking.payment.status is PaymentStatus.FAILED:
            form = form.refused(PaymentFailed("The bank refused.", reason=booking.payment.failure_code))
        return await pages.show(request, caller, booking=booking, form=form)

    @router.post("/book/h/{booking_id}")
    async def pay(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)
        try:
            card = form.parse(PayIn)
            paid = await pages.bookings.pay(
                customer_id=caller.user_id, booking_id=booking_id, payment_method=card.payment_method
            )
        except DomainError as refusal:
            booking = await pages.find(caller, booking_id=booking_id)
            if isinstance(refusal, HoldLapsed) and booking.status in (BookingStatus.HELD, BookingStatus.EXPIRED):
                return await pages.show_lapsed(request, caller, booking=booking)
            if booking.status in (BookingStatus.REQUESTED, BookingStatus.CONFIRMED):
                # Paid in another tab; this card was not charged.
                return see_other(_done(booking_id))
            if booking.status is not BookingStatus.HELD:
                return see_other(f"/me/bookings/{booking_id}")
            return await pages.show(request, caller, booking=booking, form=form.refused(refusal), status=422)
        return see_other(_bank(paid) or _done(booking_id))

    @router.get("/book/{booking_id}/return")
    async def come_back(caller: SignedIn, booking_id: UUID) -> Response:
        # The bank redirects the customer here, so this is a GET although it changes the booking. A repeated or
        # unexpected request changes nothing: it reads the state of the payment from the processor.
        await pages.bookings.settle_payment(customer_id=caller.user_id, booking_id=booking_id)
        return see_other(_done(booking_id))

    @router.get("/book/h/{booking_id}/done")
    async def show_result(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.find(caller, booking_id=booking_id)
        if booking.status is BookingStatus.HELD:
            return see_other(f"/book/h/{booking_id}")
        picture = await find_picture(pages.catalog, slug=booking.provider_slug)
        return pages.renderer.page(
            request, "booking/done.html", headers=UNSTORED, viewer=caller, booking=booking, picture=picture
        )

    @router.post("/book/h/{booking_id}/release")
    async def release_hold(caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.bookings.cancel(user_id=caller.user_id, booking_id=booking_id)
        return see_other(f"/p/{booking.provider_slug}#times")

    return router


def _done(booking_id: UUID) -> str:
    return f"/book/h/{booking_id}/done"


def _bank(booking: BookingView) -> str | None:
    """Return where the customer must prove who they are, if they must."""
    if booking.payment and booking.payment.status is PaymentStatus.REQUIRES_ACTION:
        return booking.payment.action_url
    return None
