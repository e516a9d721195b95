"""From a chosen slot to a booking: its details and the hold, then price, terms, card, 3-D Secure and the result."""

from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from fairground.contracts.booking import Bookings, BookingStatus, BookingView, HoldIn, HoldLapsed, PayIn
from fairground.contracts.payments import CardFields, PaymentFailed, Payments, PaymentStatus
from fairground.contracts.providers import ProviderDetail, Providers, Service, ServiceNotFound
from fairground.kernel.errors import DomainError
from fairground.kernel.money import find_currency, processor_amount
from fairground.kernel.zones import Clock
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.addresses import open_vertical
from fairground.web.content_security import Origins
from fairground.web.forms import Form, FormModel, FormRefused, read_form
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


class ChosenSlot(FormModel):
    """The parameters in the link of a slot."""

    service: UUID
    starts_at: AwareDatetime


class HoldForm(HoldIn):
    """The details of a booking."""

    party_size: int | None = None
    """Booking checks the bounds of the vertical, which are narrower than the API's, and names them in its message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailsPages:
    renderer: Renderer
    providers: Providers
    bookings: Bookings
    verticals: Verticals
    clock: Clock

    async def show(self, request: Request, caller: SignedIn, *, slug: str, form: Form, status: int = 200) -> Response:
        """Show the form of details for the slot in its values, or redirect to the slots of the provider."""
        provider = await self.providers.get_provider(id_or_slug=slug)
        try:
            chosen = form.parse(ChosenSlot)
        except FormRefused:
            return see_other(f"/p/{provider.slug}#times")
        service = _service_of(provider, service_id=chosen.service)
        pack = open_vertical(self.verticals, provider.vertical)
        terms = pack.cancellation.terms(
            service.price_minor,
            step_minor=find_currency(service.currency).step_minor,
            starts_at=chosen.starts_at,
            now=self.clock.now(),
        )
        return self.renderer.page(
            request,
            "booking/details.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            provider=provider,
            pack=pack,
            service=service,
            starts_at=chosen.starts_at,
            ends_at=chosen.starts_at + timedelta(minutes=service.duration_minutes),
            terms=terms,
            form=replace(form, values={"place": pack.booking.places[0], **form.values}),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentPages:
    renderer: Renderer
    providers: Providers
    bookings: Bookings
    payments: Payments

    async def find(self, caller: Caller, *, booking_id: UUID) -> BookingView:
        return await self.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)

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
    details = DetailsPages(
        renderer=renderer, providers=providers, bookings=bookings, verticals=site.verticals, clock=site.clock
    )
    _add_details(router, details)
    payment = PaymentPages(renderer=renderer, providers=providers, bookings=bookings, payments=links.of(Payments))
    _add_payment(router, payment)
    _add_result(router, payment)
    return router


def _add_details(router: APIRouter, pages: DetailsPages) -> None:
    @router.get("/book/{slug}")
    async def show_details(request: Request, caller: SignedIn, slug: str) -> Response:
        return await pages.show(request, caller, slug=slug, form=Form(values=dict(request.query_params)))

    @router.post("/book/{slug}")
    async def hold_slot(request: Request, caller: SignedIn, slug: str) -> Response:
        form = await read_form(request)
        try:
            body = replace(form, values={**form.values, "service_id": form.values.get("service", "")}).parse(HoldForm)
            held = await pages.bookings.hold(customer_id=caller.user_id, **body.model_dump())
        except DomainError as refusal:
            return await pages.show(request, caller, slug=slug, form=form.refused(refusal), status=422)
        return see_other(f"/book/h/{held.id}")


def _service_of(provider: ProviderDetail, *, service_id: UUID) -> Service:
    found = next((service for service in provider.services if service.id == service_id), None)
    if found is None:
        raise ServiceNotFound(f"{provider.business_name} does not offer this (any more).")
    return found


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
