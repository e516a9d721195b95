"""What a booking is, what is given to change one, and the contract `Bookings`."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from pydantic import AwareDatetime, Field

from fairground.contracts.booking.availability import Availability, AvailabilityRules
from fairground.contracts.dto import DTO
from fairground.contracts.payments import Payment
from fairground.contracts.providers import BookingMode
from fairground.kernel.inputs import Input, text_field

NOTE_MAX_LENGTH: Final = 2_000
REASON_MAX_LENGTH: Final = 1_000
PARTY_SIZE_MAX: Final = 100_000
_AMOUNT_MAX_MINOR: Final = 10**12


class BookingStatus(StrEnum):
    HELD = "held"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class NextStep(StrEnum):
    """What the caller may do with a booking now; each is the last part of its path."""

    PAY = "pay"
    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"
    COMPLETE = "complete"
    REVIEW = "review"


class Booking(DTO):
    """A booking with its terms as they were when it was made. Amounts are minor units of `currency`."""

    id: UUID
    status: BookingStatus
    customer_id: UUID
    provider_id: UUID
    provider_name: str
    provider_slug: str
    service_id: UUID
    service_name: str
    vertical: str
    booking_mode: BookingMode
    starts_at: datetime
    ends_at: datetime
    timezone: str
    place: str | None
    note: str | None
    party_size: int | None
    total_minor: int
    currency: str
    expires_at: datetime | None
    """When the hold lapses; only while held."""
    answer_due_at: datetime | None
    """When an unanswered request lapses; only while requested."""
    decline_reason: str | None
    created_at: datetime


class RefundTerm(DTO):
    """What a customer who cancels before `until` gets back of the total; without one, it holds from then on."""

    until: datetime | None
    refund_percent: int
    refund_minor: int


class CancellationPreview(DTO):
    """What cancelling now would give back to the customer."""

    refund_minor: int
    keep_minor: int
    currency: str
    free_until: datetime | None
    """Until when cancelling gives everything back; None when that is over."""
    terms: list[RefundTerm]
    """The policy that the booking was made under, as far as it still lies ahead, the best term first."""


class BookingView(Booking):
    """A booking as one of its two sides sees it."""

    side: str
    """`customer` or `provider`."""
    next_steps: list[NextStep]
    payment: Payment | None
    refund_due_minor: int = 0
    """Of a booking that has ended: what is to be given back. `payment.refunded_minor` says how much of it has been."""
    cancellation: CancellationPreview | None
    """Only while cancelling is one of the next steps."""
    reached: list[BookingStatus] = Field(default_factory=list)
    """Every status that the booking has had, the present one last."""
    ended_at: datetime | None = None
    """When it was completed, declined, cancelled or lapsed."""


class BookingPage(DTO):
    data: list[BookingView]
    total: int
    """How many there are; no more than 10,000 are counted."""
    total_is_lower_bound: bool
    next_cursor: str | None
    """None when nothing follows."""


class BookingSide(DTO):
    """What reviews need to know of a booking: who its sides are and whether it took place."""

    booking_id: UUID
    status: BookingStatus
    customer_id: UUID
    provider_id: UUID
    provider_slug: str
    provider_owner_id: UUID


class PastBooking(DTO):
    """A booking that was made elsewhere and took place."""

    customer_id: UUID
    service_id: UUID
    starts_at: datetime
    note: str | None = None


# Inputs: the API takes each as a JSON body, a page as a form.


class HoldIn(Input):
    service_id: UUID
    starts_at: AwareDatetime
    note: str | None = text_field(None, most=NOTE_MAX_LENGTH)
    place: str | None = Field(None, max_length=40)
    party_size: int | None = Field(None, ge=1, le=PARTY_SIZE_MAX)
    expected_total_minor: int | None = Field(None, ge=0, le=_AMOUNT_MAX_MINOR)


class PayIn(Input):
    payment_method: str = Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")


class DeclineIn(Input):
    reason: str | None = text_field(None, most=REASON_MAX_LENGTH)


class CancelIn(Input):
    expected_refund_minor: int | None = Field(None, ge=0, le=_AMOUNT_MAX_MINOR)


class Bookings(Protocol):
    async def list_slots(
        self, *, provider_id: UUID, from_date: date, to_date: date, service_id: UUID | None
    ) -> Availability:
        """Return the free starts of the provider-local dates, both included; at most 62 days.

        Without `service_id` the slots have the length of the provider's shortest service.

        Raises:
            ProviderNotFound, ServiceNotFound
            DetailsInvalid: The dates are in the wrong order or too far apart.
        """
        ...

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules: ...

    async def set_rules(self, *, owner_id: UUID, provider_id: UUID, rules: AvailabilityRules) -> AvailabilityRules:
        """Replace the provider's hours. Bookings already made stay.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            RulesInvalid: Overlapping or empty hours, an unknown zone, more than 366 exceptions.
        """
        ...

    async def hold(
        self,
        *,
        customer_id: UUID,
        service_id: UUID,
        starts_at: datetime,
        note: str | None = None,
        place: str | None = None,
        party_size: int | None = None,
        expected_total_minor: int | None = None,
    ) -> BookingView:
        """Hold a time for `FAIRGROUND_BOOKING_HOLD_SECONDS`. Nothing is paid.

        A second call of the same customer for the same service and start returns the hold of the first, which lapses
        when it would have. Its price stays; its note, place and party size become those of the newest call.

        Raises:
            ServiceNotFound, NotBookable, NotOffered, SlotTaken, PriceChanged, TooManyHolds, OwnService, DetailsInvalid
            AlreadyBooked: A request, a confirmed booking or another hold of the customer's own takes the time.
        """
        ...

    async def pay(self, *, customer_id: UUID, booking_id: UUID, payment_method: str) -> BookingView:
        """Authorise the total; the booking becomes requested, or confirmed and paid for an instant service.

        While the customer must prove who they are, the booking stays held and `payment.action_url` says where.
        Repeating the call continues the same payment.

        Raises:
            BookingNotFound, StatusConflict, HoldLapsed, PaymentFailed, PaymentPending
        """
        ...

    async def settle_payment(self, *, customer_id: UUID, booking_id: UUID) -> BookingView:
        """Ask the processor how the payment stands and move the booking accordingly.

        For a customer who comes back from proving who they are.

        Raises:
            BookingNotFound, PaymentPending
        """
        ...

    async def accept(self, *, owner_id: UUID, booking_id: UUID) -> BookingView:
        """Take the money and confirm.

        Raises:
            BookingNotFound, StatusConflict
            PaymentFailed: The money could not be taken; the booking stays requested.
            PaymentPending
        """
        ...

    async def decline(self, *, owner_id: UUID, booking_id: UUID, reason: str | None) -> BookingView:
        """Refuse a request; the authorisation is voided. Raise BookingNotFound or StatusConflict."""
        ...

    async def cancel(self, *, user_id: UUID, booking_id: UUID, expected_refund_minor: int | None = None) -> BookingView:
        """End a held, requested or confirmed booking from either side.

        The money goes back by the vertical's policy, wholly when the provider cancels.

        Raises:
            BookingNotFound, StatusConflict
            PriceChanged: The refund is no longer the expected one; `context["refund_minor"]` holds what it is now.
        """
        ...

    async def complete(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        """Say that it took place, from the provider's side after the end, or the customer's after the end.

        Raises:
            BookingNotFound, StatusConflict
            NotYet: It has not ended.
        """
        ...

    async def get_booking(self, *, user_id: UUID, booking_id: UUID) -> BookingView:
        """Raise BookingNotFound when there is none or the caller is on neither side."""
        ...

    async def list_bookings(
        self,
        *,
        user_id: UUID,
        side: str | None,
        status: BookingStatus | None,
        page: int = 1,
        limit: int,
        cursor: str | None = None,
    ) -> BookingPage:
        """Return a page of the caller's bookings, the latest start first.

        Args:
            cursor: `next_cursor` of a page of the same list: go on behind it, whatever `page` says.

        Raises:
            PageTooDeep: The page begins behind the first 10,000 bookings; a cursor leads on.
            CursorInvalid
        """
        ...

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None: ...

    async def get_calendar(self, *, user_id: UUID, booking_id: UUID) -> str:
        """Return the booking as an iCalendar file (RFC 5545) for one of its sides.

        Its METHOD (RFC 5546) is PUBLISH, and CANCEL for what does not take place.

        Raises:
            BookingNotFound: As `get_booking` does.
        """
        ...

    async def describe_booking(self, *, booking_id: UUID) -> Booking:
        """Return a booking without asking for a side, for mails about it; raise BookingNotFound when there is none."""
        ...

    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        """Write down up to 500 bookings as completed, so that a provider's history comes along; return their ids.

        Raises:
            ServiceNotFound, NotBookable, SlotTaken: Nothing was written.
            DetailsInvalid: One of them has not ended, or its note is too long.
        """
        ...
