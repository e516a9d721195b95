"""From a hold to a booking: price, terms, card, 3-D Secure and the result."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from gettext import gettext as _
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.booking import Bookings, BookingStatus, BookingView, HoldLapsed, PayIn
from fairground.contracts.payments import CardFields, PaymentFailed, Payments, PaymentStatus
from fairground.contracts.providers import Providers
from fairground.kernel.errors import DomainError
from fairground.kernel.money import processor_amount
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.content_security import Origins
from fairground.web.forms import Form, FormRefused, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.pictures import find_provider_picture
from fairground.web.rendering import Renderer
from fairground.web.site import Site

# The sandbox's money is not real, and neither are its cards: docs.stripe.com/testing names them.
TEST_CARDS: Final = (
    ("pm_card_visa", "Visa •••• 4242"),
    ("pm_card_mastercard", "Mastercard •••• 4444"),
    ("pm_card_authenticationRequired", "Visa •••• 3184"),
    ("pm_card_visa_chargeDeclined", "Visa •••• 0002"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "Visa •••• 9995"),
)


NO_REFUND: Final = "no_refund"
"""The box "I understand that this booking cannot be refunded"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentPages:
    renderer: Renderer
    providers: Providers
    bookings: Bookings
    payments: Payments

    async def find(self, caller: Caller, *, booking_id: UUID) -> BookingView:
        return await self.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)

    async def require_understood(self, caller: Caller, *, booking_id: UUID, form: Form) -> None:
        """Raise FormRefused where nothing will be refunded and the box that says so is not ticked."""
        booking = await self.find(caller, booking_id=booking_id)
        if _is_final(booking) and NO_REFUND not in form.values:
            raise FormRefused({NO_REFUND: _("Tick this box if you want to go on.")})

    async def show(
        self, request: Request, caller: Caller, *, booking: BookingView, form: Form, status: int = 200
    ) -> Response:
        card_fields = self.payments.card_fields
        policy = self.renderer.policy_beside(_origins_of(card_fields)) if card_fields else {}
        return self.renderer.page(
            request,
            "booking/pay.html",
            status=status,
            headers=UNSTORED | policy,
            viewer=caller,
            booking=booking,
            picture=await find_provider_picture(self.providers, slug=booking.provider_slug),
            cards=TEST_CARDS if self.payments.is_sandbox else (),
            card_fields=card_fields,
            card_amount=processor_amount(booking.total_minor, booking.currency),
            details_path=_details_path(booking),
            form=form,
        )

    async def show_lapsed(self, request: Request, caller: Caller, *, booking: BookingView) -> Response:
        """Show that the hold has ended, with a link to the slots of that service and day."""
        return self.renderer.page(
            request,
            "booking/lapsed.html",
            status=HTTPStatus.CONFLICT,
            headers=UNSTORED,
            viewer=caller,
            booking=booking,
        )


def routes(site: Site, links: Links) -> APIRouter:
    renderer, providers, bookings = site.renderer, links.of(Providers), links.of(Bookings)
    router = page_router(renderer)
    payment = PaymentPages(renderer=renderer, providers=providers, bookings=bookings, payments=links.of(Payments))
    _add_payment(router, payment)
    _add_result(router, payment)
    return router


def _add_payment(router: APIRouter, pages: PaymentPages) -> None:
    @router.get("/book/h/{booking_id}")
    async def show_payment(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.find(caller, booking_id=booking_id)
        if booking.status is BookingStatus.EXPIRED:
            return await pages.show_lapsed(request, caller, booking=booking)
        if booking.status is not BookingStatus.HELD:
            return see_other(_done_path(booking_id))
        form = Form(values={"payment_method": TEST_CARDS[0][0]})
        if booking.payment and booking.payment.status is PaymentStatus.FAILED:
            form = form.refused(PaymentFailed("The bank refused.", reason=booking.payment.failure_code))
        return await pages.show(request, caller, booking=booking, form=form)

    @router.post("/book/h/{booking_id}")
    async def pay(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)
        try:
            await pages.require_understood(caller, booking_id=booking_id, form=form)
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
                return see_other(_done_path(booking_id))
            if booking.status is not BookingStatus.HELD:
                return see_other(f"/me/bookings/{booking_id}")
            return await pages.show(request, caller, booking=booking, form=form.refused(refusal), status=422)
        return see_other(_bank_url(paid) or _done_path(booking_id))


def _add_result(router: APIRouter, pages: PaymentPages) -> None:
    @router.get("/book/{booking_id}/return")
    async def return_from_bank(caller: SignedIn, booking_id: UUID) -> Response:
        # The bank redirects the customer here, so this is a GET although it changes the booking. A repeated or
        # unexpected request changes nothing: it reads the state of the payment from the processor.
        await pages.bookings.settle_payment(customer_id=caller.user_id, booking_id=booking_id)
        return see_other(_done_path(booking_id))

    @router.get("/book/h/{booking_id}/done")
    async def show_result(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.find(caller, booking_id=booking_id)
        if booking.status is BookingStatus.HELD:
            return see_other(f"/book/h/{booking_id}")
        picture = await find_provider_picture(pages.providers, slug=booking.provider_slug)
        return pages.renderer.page(
            request, "booking/done.html", headers=UNSTORED, viewer=caller, booking=booking, picture=picture
        )

    @router.post("/book/h/{booking_id}/release")
    async def release_hold(caller: SignedIn, booking_id: UUID) -> Response:
        booking = await pages.bookings.cancel(user_id=caller.user_id, booking_id=booking_id)
        return see_other(f"/p/{booking.provider_slug}#times")


def _is_final(booking: BookingView) -> bool:
    """Return whether cancelling will give nothing back, from the confirmation on."""
    return booking.cancellation is not None and not booking.cancellation.is_refundable


def _details_path(booking: BookingView) -> str:
    """Return the address of the page that changes the details of a hold."""
    query = {
        "service": booking.service_id,
        "starts_at": f"{booking.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "duration_minutes": (booking.ends_at - booking.starts_at) // timedelta(minutes=1),
        "party_size": booking.party_size or "",
        "hold": booking.id,
    }
    return f"/book/{booking.provider_slug}?{urlencode(query)}"


def _origins_of(card_fields: CardFields) -> Origins:
    return Origins(
        scripts=card_fields.script_origins,
        frames=card_fields.frame_origins,
        connections=card_fields.connection_origins,
    )


def _done_path(booking_id: UUID) -> str:
    return f"/book/h/{booking_id}/done"


def _bank_url(booking: BookingView) -> str | None:
    """Return the address of the 3-D Secure check, if the bank requires one."""
    if booking.payment and booking.payment.status is PaymentStatus.REQUIRES_ACTION:
        return booking.payment.action_url
    return None
