"""Bookings over HTTP for staff."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.accounts import SEARCH_MAX_LENGTH, NotPermitted
from fairground.contracts.booking import BookingNotFound, BookingStatus, PriceChanged, StatusConflict
from fairground.contracts.booking.staff import (
    BookingFigures,
    StaffActionInvalid,
    StaffBookingDetail,
    StaffBookingPage,
    StaffBookings,
    StaffCancelIn,
    StaffRefundIn,
)
from fairground.contracts.payments import (
    AmountNotChargeable,
    PaymentNotFound,
    PaymentPending,
    PaymentStateConflict,
    RefundTooLarge,
)
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class BookingSearchQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    words: str = Field(
        "",
        max_length=SEARCH_MAX_LENGTH,
        description="The id of a booking; or beginnings of words of the name or address of an account on either side,"
        " or of the provider's name.",
    )
    user_id: UUID | None = Field(None, description="An account on either side.")
    status: BookingStatus | None = None
    from_date: date | None = Field(None, description="The first day of the start, in UTC.")
    to_date: date | None = Field(None, description="The last one.")
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


def staff_routes(staff: StaffBookings) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/bookings")
    @refuses(CursorInvalid, NotPermitted)
    async def search_bookings(caller: Staff, query: Annotated[BookingSearchQuery, Query()]) -> StaffBookingPage:
        """Search all bookings, the latest start first."""
        return await staff.search_bookings(staff_id=caller.user_id, **query.model_dump())

    @router.get("/admin/bookings/figures")
    @refuses(NotPermitted)
    async def read_booking_figures(caller: Staff) -> BookingFigures:
        """Return how many bookings are held, wait, take place and were cancelled today."""
        return await staff.read_figures(staff_id=caller.user_id)

    @router.get("/admin/bookings/{booking_id}")
    @refuses(BookingNotFound, NotPermitted)
    async def get_booking_for_staff(booking_id: UUID, caller: Staff) -> StaffBookingDetail:
        """Return a booking with its log, its payment, and what staff can do with it."""
        return await staff.get_booking_for_staff(staff_id=caller.user_id, booking_id=booking_id)

    @router.post("/admin/bookings/{booking_id}/cancel")
    @refuses(BookingNotFound, NotPermitted, PriceChanged, StaffActionInvalid, StatusConflict)
    async def cancel_for_side(booking_id: UUID, body: StaffCancelIn, caller: Staff) -> StaffBookingDetail:
        """Cancel for one side, with the refund of the policy or a full one; `cancellations` says what goes back."""
        return await staff.cancel_for_side(staff_id=caller.user_id, booking_id=booking_id, cancellation=body)

    @router.post("/admin/bookings/{booking_id}/refund")
    @refuses(
        AmountNotChargeable,
        BookingNotFound,
        NotPermitted,
        PaymentNotFound,
        PaymentPending,
        PaymentStateConflict,
        RefundTooLarge,
        StaffActionInvalid,
    )
    async def refund_booking(booking_id: UUID, body: StaffRefundIn, caller: Staff) -> StaffBookingDetail:
        """Refund part or all of what was captured; at most `refundable_minor`."""
        return await staff.refund_booking(staff_id=caller.user_id, booking_id=booking_id, refund=body)

    return router
