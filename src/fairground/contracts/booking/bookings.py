"""What a booking is."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from fairground.contracts.dto import DTO
from fairground.contracts.payments import Payment
from fairground.contracts.providers import BookingMode


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
