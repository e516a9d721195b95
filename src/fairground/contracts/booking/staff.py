"""Bookings as staff see and change them: found by words, time and status, cancelled for a side, and refunded."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, Protocol
from uuid import UUID

from pydantic import Field

from fairground.contracts.booking.bookings import REASON_MAX_LENGTH, Booking, BookingStatus, RefundTerm
from fairground.contracts.dto import DTO
from fairground.contracts.payments import Payment
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import Input, text_field

SEARCHED_ACCOUNTS_MAX: Final = 20
"""Accounts, and providers, whose bookings words find: the newest of those that the words fit."""
COUNTED_AT_MOST: Final = 10_000
"""Figures count no further."""
_AMOUNT_MAX_MINOR: Final = 10**12


class StaffBooking(Booking):
    """A booking in a list of staff."""

    provider_owner_id: UUID | None
    customer_name: str


class StaffBookingPage(DTO):
    data: list[StaffBooking]
    next_cursor: str | None
    """None when nothing follows."""


class BookingChange(DTO):
    """A change of the status of a booking, as the log has it."""

    version: int
    actor: str
    """`customer`, `provider`, `staff` or `system`."""
    from_status: BookingStatus | None
    to_status: BookingStatus
    changed_at: datetime
    acted_by: UUID | None
    """The member of staff who acted."""
    on_behalf_of: str | None
    reason: str | None
    refund_minor: int | None
    """What staff decided to give back."""


class StaffRefund(StrEnum):
    """What a customer gets back when staff cancel."""

    POLICY = "policy"
    """What the cancellation policy gives the side for which staff act."""
    FULL = "full"


class CancellationOption(DTO):
    """What one way to cancel would give back to the customer now."""

    on_behalf_of: Literal["customer", "provider"]
    refund: StaffRefund
    refund_minor: int
    keep_minor: int


class StaffBookingDetail(StaffBooking):
    terms: list[RefundTerm]
    """The cancellation policy that the booking was made under, as far as it still lies ahead, the best term first."""
    history: list[BookingChange]
    """Every change of the status, the oldest first."""
    payment: Payment | None
    refund_due_minor: int
    cancellations: list[CancellationOption]
    """The ways to cancel that are possible now."""
    refundable_minor: int
    """What staff can still give back: captured, and neither refunded nor about to be."""


class BookingFigures(DTO):
    """Numbers for the overview; each counts no further than COUNTED_AT_MOST. Days are those of UTC."""

    held: int
    requested: int
    starting_today: int
    """Confirmed or completed, with a start on this day."""
    cancelled_today: int
    due_soon: list[Booking]
    """Requests that lapse within six hours, the first ten."""


class StaffCancelIn(Input):
    on_behalf_of: Literal["customer", "provider"]
    refund: StaffRefund = StaffRefund.POLICY
    reason: str = text_field(most=REASON_MAX_LENGTH, description="For staff alone; the sides do not read it.")
    expected_refund_minor: int | None = Field(None, ge=0, le=_AMOUNT_MAX_MINOR)


class StaffRefundIn(Input):
    amount_minor: int = Field(ge=1, le=_AMOUNT_MAX_MINOR)
    reason: str = text_field(most=REASON_MAX_LENGTH, description="For staff alone; the sides do not read it.")
    refund_id: UUID = Field(
        default_factory=uuid7, description="A name for this refund: a repeated request with the same one refunds once."
    )


class StaffActionInvalid(Invalid):
    code = "booking.staff_action_invalid"


class StaffBookings(Protocol):
    """`staff_id` is the member of staff who acts. Each method raises NotPermitted for another account.

    Every change is in the audit trail.
    """

    async def search_bookings(
        self,
        *,
        staff_id: UUID,
        words: str = "",
        user_id: UUID | None = None,
        status: BookingStatus | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffBookingPage:
        """Return bookings, the latest start first.

        Args:
            words: The id of a booking; or beginnings of words of the name or address of an account on either side,
                or of the provider's name.
            user_id: An account on either side.
            from_date: The first day of the start, in UTC.
            to_date: The last one.

        Raises:
            CursorInvalid
        """
        ...

    async def get_booking_for_staff(self, *, staff_id: UUID, booking_id: UUID) -> StaffBookingDetail:
        """Raise BookingNotFound when there is none."""
        ...

    async def cancel_for_side(
        self, *, staff_id: UUID, booking_id: UUID, cancellation: StaffCancelIn
    ) -> StaffBookingDetail:
        """Cancel for one side. Both sides get the usual mails.

        Raises:
            BookingNotFound, StatusConflict
            StaffActionInvalid: The reason is empty or too long.
            PriceChanged: `expected_refund_minor` is not what would be given back.
        """
        ...

    async def refund_booking(self, *, staff_id: UUID, booking_id: UUID, refund: StaffRefundIn) -> StaffBookingDetail:
        """Give back part or all of what was captured; the status of the booking stays.

        Raises:
            BookingNotFound, PaymentNotFound, RefundTooLarge, AmountNotChargeable, PaymentStateConflict, PaymentPending
            StaffActionInvalid: The reason is empty or too long.
        """
        ...

    async def read_figures(self, *, staff_id: UUID) -> BookingFigures: ...
