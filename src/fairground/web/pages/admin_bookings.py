"""Bookings for staff: search, one with its whole history, cancelling for a side, and refunds."""

from dataclasses import dataclass, replace
from gettext import gettext as _
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.audit import AuditRecord, AuditTrail
from fairground.contracts.booking import BookingStatus
from fairground.contracts.booking.staff import (
    StaffBookingDetail,
    StaffBookings,
    StaffCancelIn,
    StaffRefund,
    StaffRefundIn,
)
from fairground.contracts.messaging import Messages
from fairground.kernel.errors import DomainError
from fairground.kernel.ids import uuid7
from fairground.kernel.money import AmountInvalid, read_amount
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.locale_formatter import LocaleFormatter
from fairground.platform.module import Links
from fairground.web.addresses import read_date, read_id
from fairground.web.admin_pages import PAGE_LENGTH, AdminPages, Question, admin_pages, next_address, searched
from fairground.web.forms import Form, FormModel, FormRefused, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

PATH: Final = "/admin/bookings"
_ACTIONS_SHOWN: Final = 50
STATUS_WORDS: Final = {
    BookingStatus.HELD: _("Held"),
    BookingStatus.REQUESTED: _("Waiting for an answer"),
    BookingStatus.CONFIRMED: _("Confirmed"),
    BookingStatus.COMPLETED: _("Completed"),
    BookingStatus.DECLINED: _("Declined"),
    BookingStatus.CANCELLED: _("Cancelled"),
    BookingStatus.EXPIRED: _("Expired"),
}
_SIDE_WORDS: Final = {"customer": _("For the customer"), "provider": _("For the provider")}


class CancelForm(FormModel):
    choice: Annotated[str, Field(pattern=r"^(customer|provider):(policy|full):[0-9]{1,13}$")]
    """Side, refund, and the amount that was shown beside them, in minor units."""
    reason: str


class RefundForm(FormModel):
    amount: Annotated[str, Field(max_length=40)]
    reason: str
    refund_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingPages:
    frame: AdminPages
    bookings: StaffBookings
    messages: Messages
    trail: AuditTrail
    formatter: LocaleFormatter

    async def list_actions(self, caller: Caller, booking: StaffBookingDetail) -> list[AuditRecord]:
        """Return what staff did with a booking and with its payment, the latest first."""
        subjects = [("booking", booking.id), *([("payment", booking.payment.id)] if booking.payment else [])]
        found = [
            record
            for kind, subject_id in subjects
            for record in (
                await self.trail.list_records(
                    staff_id=caller.user_id, subject_kind=kind, subject_id=subject_id, limit=_ACTIONS_SHOWN
                )
            ).data
        ]
        return sorted(found, key=lambda record: record.acted_at, reverse=True)

    def cancel_question(self, booking: StaffBookingDetail) -> Question:
        choices = [
            (
                f"{option.on_behalf_of}:{option.refund.value}:{option.refund_minor}",
                _("%(side)s: %(refund)s goes back, %(kept)s is kept")
                % {
                    "side": _SIDE_WORDS[option.on_behalf_of],
                    "refund": self._money(option.refund_minor, booking.currency),
                    "kept": self._money(option.keep_minor, booking.currency),
                },
                _("Full refund as goodwill")
                if option.refund is StaffRefund.FULL
                else _("As the cancellation policy says"),
            )
            for option in booking.cancellations
        ]
        return Question(
            title=_("Cancel this booking?"),
            about=f"{booking.service_name}, {booking.customer_name}, {booking.provider_name}",
            effects=[_("The time becomes free again, and both sides get an email.")],
            action=f"{PATH}/{booking.id}/cancel",
            button=_("Cancel the booking"),
            back=f"{PATH}/{booking.id}",
            has_reason=True,
            choices=choices,
        )

    def refund_question(self, booking: StaffBookingDetail, *, refund_id: str) -> Question:
        most = self._money(booking.refundable_minor, booking.currency)
        return Question(
            title=_("Refund this booking?"),
            about=f"{booking.service_name}, {booking.customer_name}, {booking.provider_name}",
            effects=[_("The amount goes back to the customer's card. The booking stays as it is.")],
            action=f"{PATH}/{booking.id}/refund",
            button=_("Refund"),
            back=f"{PATH}/{booking.id}",
            has_reason=True,
            currency=booking.currency,
            amount_hint=_("At most %(most)s.") % {"most": most},
            # A repeated post of the form refunds once.
            hidden={"refund_id": refund_id},
        )

    def _money(self, amount_minor: int, currency: str) -> str:
        return self.formatter.money(amount_minor, currency)


def routes(site: Site, links: Links) -> APIRouter:
    pages = BookingPages(
        frame=admin_pages(site, links),
        bookings=links.of(StaffBookings),
        messages=links.of(Messages),
        trail=links.of(AuditTrail),
        formatter=LocaleFormatter(site.renderer.locale),
    )
    router = page_router(site.renderer)
    _add_lists(router, pages)
    _add_cancellation(router, pages)
    _add_refunds(router, pages)
    return router


def _add_lists(router: APIRouter, pages: BookingPages) -> None:
    @router.get(PATH)
    async def search_bookings(request: Request, caller: Staff) -> Response:
        query = request.query_params
        status = query.get("status", "")
        page = await pages.bookings.search_bookings(
            staff_id=caller.user_id,
            words=query.get("words", ""),
            user_id=read_id(query.get("user")),
            status=BookingStatus(status) if status in set(BookingStatus) else None,
            from_date=read_date(query.get("from")),
            to_date=read_date(query.get("to")),
            cursor=query.get("cursor"),
            limit=PAGE_LENGTH,
        )
        return await pages.frame.page(
            request,
            caller,
            "admin/bookings.html",
            page=page,
            next=next_address(request, page.next_cursor),
            form=searched(request),
            statuses=[("", _("Any")), *((each.value, words) for each, words in STATUS_WORDS.items())],
        )

    @router.get(PATH + "/{booking_id}")
    async def show_booking(request: Request, caller: Staff, booking_id: UUID) -> Response:
        booking = await pages.bookings.get_booking_for_staff(staff_id=caller.user_id, booking_id=booking_id)
        return await pages.frame.page(
            request,
            caller,
            "admin/booking.html",
            booking=booking,
            entries=await pages.list_actions(caller, booking),
            messages=await pages.messages.count_messages(booking_id=booking_id),
        )


def _add_cancellation(router: APIRouter, pages: BookingPages) -> None:
    async def ask(request: Request, caller: Caller, booking_id: UUID, *, form: Form) -> Response:
        booking = await pages.bookings.get_booking_for_staff(staff_id=caller.user_id, booking_id=booking_id)
        if not booking.cancellations:
            return see_other(f"{PATH}/{booking_id}")
        first = pages.cancel_question(booking)
        shown = form if form.values else replace(form, values={"choice": first.choices[0][0]})
        return await pages.frame.ask(request, caller, first, form=shown, nav=PATH)

    @router.get(PATH + "/{booking_id}/cancel")
    async def ask_to_cancel(request: Request, caller: Staff, booking_id: UUID) -> Response:
        return await ask(request, caller, booking_id, form=Form())

    @router.post(PATH + "/{booking_id}/cancel")
    async def cancel_for_side(request: Request, caller: Staff, booking_id: UUID) -> Response:
        form = await read_form(request)
        try:
            sent = form.parse(CancelForm)
            side, refund, shown_minor = sent.choice.split(":")
            cancellation = StaffCancelIn.model_validate(
                {
                    "on_behalf_of": side,
                    "refund": StaffRefund(refund),
                    "reason": sent.reason,
                    "expected_refund_minor": int(shown_minor),
                }
            )
            await pages.bookings.cancel_for_side(
                staff_id=caller.user_id, booking_id=booking_id, cancellation=cancellation
            )
        except DomainError as refusal:
            return await ask(request, caller, booking_id, form=form.refused(refusal))
        return see_other(f"{PATH}/{booking_id}")


def _add_refunds(router: APIRouter, pages: BookingPages) -> None:
    async def ask(request: Request, caller: Caller, booking_id: UUID, *, form: Form) -> Response:
        booking = await pages.bookings.get_booking_for_staff(staff_id=caller.user_id, booking_id=booking_id)
        if not booking.refundable_minor:
            return see_other(f"{PATH}/{booking_id}")
        question = pages.refund_question(booking, refund_id=form.values.get("refund_id") or str(uuid7()))
        return await pages.frame.ask(request, caller, question, form=form, nav=PATH)

    @router.get(PATH + "/{booking_id}/refund")
    async def ask_to_refund(request: Request, caller: Staff, booking_id: UUID) -> Response:
        return await ask(request, caller, booking_id, form=Form())

    @router.post(PATH + "/{booking_id}/refund")
    async def refund_booking(request: Request, caller: Staff, booking_id: UUID) -> Response:
        form = await read_form(request)
        try:
            sent = form.parse(RefundForm)
            booking = await pages.bookings.get_booking_for_staff(staff_id=caller.user_id, booking_id=booking_id)
            refund = StaffRefundIn(
                amount_minor=_read_amount(sent.amount, booking), reason=sent.reason, refund_id=sent.refund_id
            )
            await pages.bookings.refund_booking(staff_id=caller.user_id, booking_id=booking_id, refund=refund)
        except DomainError as refusal:
            refused = form.refused(refusal, fields={"payment.refund_too_large": "amount"})
            return await ask(request, caller, booking_id, form=refused)
        return see_other(f"{PATH}/{booking_id}")


def _read_amount(text: str, booking: StaffBookingDetail) -> int:
    """Return an amount as it was written, in minor units.

    Raises:
        FormRefused: It is no amount of the currency, or nothing.
    """
    try:
        amount_minor = read_amount(text, booking.currency)
    except AmountInvalid as refusal:
        raise FormRefused({"amount": f"{refusal.problem}: {refusal.hint}."}) from refusal
    if amount_minor < 1:
        raise FormRefused({"amount": _("Write more than 0.")})
    return amount_minor
