"""A booking as others see it, the inputs that change one, what booking refuses, and its events.

Each event that changes on which days a provider is free has a high priority: lists of a date follow it within seconds,
also behind a long queue.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime, Field

from fairground.contracts.dto import DTO
from fairground.contracts.payments import Payment
from fairground.contracts.providers import DURATION_MAX_MINUTES, PHONE_MAX_LENGTH, BookingMode
from fairground.kernel.addresses import Address
from fairground.kernel.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound
from fairground.kernel.inputs import Input, text_field
from fairground.kernel.messages import Event, Priority, Queue
from fairground.verticals.pricing import PriceModel

NOTE_MAX_LENGTH: Final = 2_000
REASON_MAX_LENGTH: Final = 1_000
PARTY_SIZE_MAX: Final = 100_000
CALENDAR_MAX_DAYS: Final = 62
CALENDAR_MAX_BOOKINGS: Final = 500
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


class PriceLine(DTO):
    """A part of the total: so many units at a price. Amounts are minor units of the booking's currency."""

    unit: PriceModel
    """What one price buys: the whole `booking`, one `person` or one `hour`."""
    unit_price_minor: int
    quantity: int | float
    """How many units; of hours a number such as 1.5, rounded to four places, which the total is not."""
    total_minor: int


class BookingContact(DTO):
    """How one side of a confirmed booking reaches the other one, and where it takes place."""

    name: str
    email: str | None
    phone: str | None
    address: Address | None
    """Of the provider's place, for its customer; of the customer's, for the provider. None for an online booking."""
    meeting_details: str | None
    """The link or number of an online booking, for its customer."""


class RefundTerm(DTO):
    """What a customer who cancels before `until` gets back of the total; without one, it holds from then on."""

    until: datetime | None
    refund_percent: int
    refund_minor: int
    is_grace: bool = False
    """Whether it is the grace period after the confirmation."""


class CancellationPreview(DTO):
    """What cancelling now would give back to the customer."""

    refund_minor: int
    keep_minor: int
    currency: str
    free_until: datetime | None
    """Until when cancelling gives everything back; None when that is over."""
    terms: list[RefundTerm]
    """The policy that the booking was made under, as far as it still lies ahead, the best term first."""
    grace_minutes: int = 0
    """Before the confirmation: for how many minutes after it cancelling will give everything back."""
    is_refundable: bool = True
    """Whether the customer of a confirmed booking can get anything back, from now on."""


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
    lines: list[PriceLine] = Field(default_factory=list)
    """What `total_minor` is made of."""
    address: Address | None = None
    """Where it takes place at the customer's: for the customer alone, and not in lists."""
    phone: str | None = None
    """The customer's for this booking: for the customer alone, and not in lists."""
    city: str | None = None
    """Of the customer's place, where it takes place there. Not in lists."""
    distance_km: int | None = None
    """From the provider's location to the customer's place, rounded up, where both are known. Not in lists."""
    contact: BookingContact | None = None
    """Of the other side, while the booking is confirmed and afterwards. `GET /bookings/{id}` alone returns it."""
    reached: list[BookingStatus] = Field(default_factory=list)
    """Every status that the booking has had, the present one last."""
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was completed, declined, cancelled or lapsed."""


class EndedHolds(StrEnum):
    """Whether a list has the holds that ended unpaid: released by a side, or expired."""

    INCLUDED = "included"
    LEFT_OUT = "left_out"
    ALONE = "alone"


class BookingPage(DTO):
    data: list[BookingView]
    total: int
    """How many there are; no more than 10,000 are counted."""
    total_is_lower_bound: bool
    next_cursor: str | None
    """None when nothing follows."""


class BookingRange(DTO):
    """A provider's bookings of some days, by their start."""

    data: list[Booking]
    is_cut: bool
    """Whether there are more than CALENDAR_MAX_BOOKINGS; the later ones are left out."""


class BookingSide(DTO):
    """What reviews and messages need to know of a booking: who its sides are, and how it stands."""

    booking_id: UUID
    status: BookingStatus
    customer_id: UUID
    provider_id: UUID
    provider_slug: str
    provider_owner_id: UUID
    was_only_held: bool = False
    """It ended as a hold that was cancelled or lapsed: its provider was never asked."""
    ended_at: datetime | None = None
    """When it was completed, declined, cancelled or lapsed."""


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
    place: str | None = Field(
        None, max_length=40, description="One of the service's places; it may be left out where there is only one."
    )
    party_size: int | None = Field(
        None, ge=1, le=PARTY_SIZE_MAX, description="How many people; required where the price is per person."
    )
    duration_minutes: int | None = Field(
        None, ge=1, le=DURATION_MAX_MINUTES, description="Where the price is by the hour; the shortest length if unset."
    )
    address: Address | None = Field(None, description="Of the customer's place; required where it takes place there.")
    phone: str | None = text_field(
        None,
        most=PHONE_MAX_LENGTH,
        description="Yours; the provider of a confirmed booking learns it.",
    )
    expected_total_minor: int | None = Field(None, ge=0, le=_AMOUNT_MAX_MINOR)


class PayIn(Input):
    payment_method: str = Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")


class DeclineIn(Input):
    reason: str | None = text_field(None, most=REASON_MAX_LENGTH)


class CancelIn(Input):
    expected_refund_minor: int | None = Field(None, ge=0, le=_AMOUNT_MAX_MINOR)


class BookingNotFound(NotFound):
    code = "booking.not_found"
    hint = "GET /api/v1/bookings lists yours."


class NotOffered(Invalid):
    code = "booking.not_offered"
    hint = "Choose a start that GET /api/v1/service-provider-profiles/{id}/availability lists."


class NotBookable(Conflict):
    code = "booking.not_bookable"


class SlotTaken(Conflict):
    code = "booking.slot_taken"
    hint = "Choose another time; GET /api/v1/service-provider-profiles/{id}/availability lists the free ones."


class AlreadyBooked(SlotTaken):
    """A booking of the caller's own takes the time; `context["booking_id"]` names it."""

    code = "booking.already_booked"
    hint = "GET /api/v1/bookings/{booking_id} shows that booking; cancel it, or choose another time."


class PriceChanged(Conflict):
    """The total is not the expected one; `context["total_minor"]` holds what it is now."""

    code = "booking.price_changed"
    hint = "Show the new total and book again with it."


class TooManyHolds(LimitExceeded):
    code = "booking.too_many_holds"
    hint = "Pay for or cancel one of the times you hold, or wait until one lapses."


class StatusConflict(Conflict):
    code = "booking.status_conflict"
    hint = "GET /api/v1/bookings/{id} shows how it stands and, in next_steps, what can be done."


class HoldLapsed(Conflict):
    code = "booking.hold_lapsed"
    hint = "Choose a time again; nothing was charged."


class NotYet(Conflict):
    code = "booking.not_yet"


class OwnService(Forbidden):
    code = "booking.own_service"


class DetailsInvalid(Invalid):
    code = "booking.details_invalid"


class _BookingEvent(Event):
    booking_id: UUID
    customer_id: UUID
    provider_id: UUID


class BookingHeld(_BookingEvent):
    topic: ClassVar = "booking.held.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    expires_at: datetime


class BookingRequested(_BookingEvent):
    topic: ClassVar = "booking.requested.v1"
    answer_due_at: datetime


class BookingConfirmed(_BookingEvent):
    topic: ClassVar = "booking.confirmed.v1"


class BookingDeclined(_BookingEvent):
    topic: ClassVar = "booking.declined.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    reason: str | None


class BookingCancelled(_BookingEvent):
    topic: ClassVar = "booking.cancelled.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    by: str
    """`customer` or `provider`."""
    was: BookingStatus
    refund_minor: int


class BookingExpired(_BookingEvent):
    """A hold or a request lapsed."""

    topic: ClassVar = "booking.expired.v1"
    queue: ClassVar = Queue.DISCOVERY
    priority: ClassVar = Priority.HIGH
    was: BookingStatus


class PastBookingsRecorded(Event):
    """Up to 500 bookings came along with the history of their providers; neither side is notified of them."""

    topic: ClassVar = "booking.past_recorded.v1"
    queue: ClassVar = Queue.DISCOVERY
    completed_counts: dict[UUID, int]
    """By provider, the number of all bookings that took place; it only grows, so double delivery is safe."""


class BookingCompleted(_BookingEvent):
    """Carries the provider's new total and a version, so that late and double delivery do no harm."""

    topic: ClassVar = "booking.completed.v1"
    queue: ClassVar = Queue.DISCOVERY
    provider_completed_count: int
