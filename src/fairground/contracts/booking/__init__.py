"""Booking: free times, holds, requests, and what becomes of them. The contract `Bookings` and what it speaks of."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from fairground.contracts.booking.availability import (
    EXCEPTIONS_MAX,
    MIN_NOTICE_HOURS_MAX,
    REOPENED,
    SLOT_LIST_MAX_DAYS,
    TIME_OFF_MAX,
    TIME_OFF_NOTE_MAX_LENGTH,
    WEEKLY_HOURS_MAX,
    Availability,
    AvailabilityRules,
    AvailabilityRulesSet,
    AvailabilitySummarySet,
    ClosingTime,
    DatedException,
    FirstHoursSet,
    PausedUntil,
    RulesChanges,
    RulesInvalid,
    Slot,
    TimeOff,
    WallTime,
    WeeklyHours,
)
from fairground.contracts.booking.bookings import (
    CALENDAR_MAX_BOOKINGS,
    CALENDAR_MAX_DAYS,
    NOTE_MAX_LENGTH,
    PARTY_SIZE_MAX,
    REASON_MAX_LENGTH,
    AlreadyBooked,
    Booking,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingContact,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
    BookingNotFound,
    BookingPage,
    BookingRange,
    BookingRequested,
    BookingSide,
    BookingStatus,
    BookingView,
    CancelIn,
    CancellationPreview,
    DeclineIn,
    DetailsInvalid,
    EndedHolds,
    HoldIn,
    HoldLapsed,
    NextStep,
    NotBookable,
    NotOffered,
    NotYet,
    OwnService,
    PastBooking,
    PastBookingsRecorded,
    PayIn,
    PriceChanged,
    PriceLine,
    RefundTerm,
    SlotTaken,
    StatusConflict,
    TooManyHolds,
)
from fairground.contracts.booking.receipts import Receipt, ReceiptLine, ReceiptNotFound
from fairground.kernel.addresses import Address

__all__ = [
    "CALENDAR_MAX_BOOKINGS",
    "CALENDAR_MAX_DAYS",
    "EXCEPTIONS_MAX",
    "MIN_NOTICE_HOURS_MAX",
    "NOTE_MAX_LENGTH",
    "PARTY_SIZE_MAX",
    "REASON_MAX_LENGTH",
    "REOPENED",
    "SLOT_LIST_MAX_DAYS",
    "TIME_OFF_MAX",
    "TIME_OFF_NOTE_MAX_LENGTH",
    "WEEKLY_HOURS_MAX",
    "AlreadyBooked",
    "Availability",
    "AvailabilityRules",
    "AvailabilityRulesSet",
    "AvailabilitySummarySet",
    "Booking",
    "BookingCancelled",
    "BookingCompleted",
    "BookingConfirmed",
    "BookingContact",
    "BookingDeclined",
    "BookingExpired",
    "BookingHeld",
    "BookingNotFound",
    "BookingPage",
    "BookingRange",
    "BookingRequested",
    "BookingSide",
    "BookingStatus",
    "BookingView",
    "Bookings",
    "CancelIn",
    "CancellationPreview",
    "ClosingTime",
    "DatedException",
    "DeclineIn",
    "DetailsInvalid",
    "EndedHolds",
    "FirstHoursSet",
    "HoldIn",
    "HoldLapsed",
    "NextStep",
    "NotBookable",
    "NotOffered",
    "NotYet",
    "OwnService",
    "PastBooking",
    "PastBookingsRecorded",
    "PausedUntil",
    "PayIn",
    "PriceChanged",
    "PriceLine",
    "Receipt",
    "ReceiptLine",
    "ReceiptNotFound",
    "RefundTerm",
    "RulesChanges",
    "RulesInvalid",
    "Slot",
    "SlotTaken",
    "StatusConflict",
    "TimeOff",
    "TooManyHolds",
    "WallTime",
    "WeeklyHours",
]


class Bookings(Protocol):
    async def list_slots(
        self,
        *,
        provider_id: UUID,
        from_date: date,
        to_date: date,
        service_id: UUID | None,
        duration_minutes: int | None = None,
        viewer_id: UUID | None = None,
    ) -> Availability:
        """Return the free starts of the provider-local dates, both included; at most 62 days.

        Without `service_id` the slots have the length of the provider's shortest service. There are none while the
        provider has paused bookings. The owner, as `viewer_id`, also sees those of a profile that is not approved, and
        cannot book them.

        Args:
            duration_minutes: Of a service by the hour; None for its shortest length.

        Raises:
            ProviderNotFound, ServiceNotFound
            DetailsInvalid: The dates are in the wrong order or too far apart, or the service has no such length.
        """
        ...

    async def get_rules(self, *, provider_id: UUID) -> AvailabilityRules: ...

    async def set_rules(self, *, owner_id: UUID, provider_id: UUID, rules: AvailabilityRules) -> AvailabilityRules:
        """Replace the provider's hours. Bookings already made stay.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            RulesInvalid: Overlapping hours, an unknown zone, more than 366 exceptions, or a date that has passed and
                was not among the hours before.
        """
        ...

    async def change_rules(self, *, owner_id: UUID, provider_id: UUID, changes: RulesChanges) -> AvailabilityRules:
        """Change the fields that are set, and leave the others as they are at that moment.

        Raises:
            ProviderNotFound, RulesInvalid: As for `set_rules`.
        """
        ...

    async def add_time_off(self, *, owner_id: UUID, provider_id: UUID, time_off: TimeOff) -> AvailabilityRules:
        """Add days off. Bookings already made stay.

        Raises:
            ProviderNotFound: As for `set_rules`.
            RulesInvalid: They end before they begin, or have passed, or share a day with others.
        """
        ...

    async def remove_time_off(self, *, owner_id: UUID, provider_id: UUID, from_date: date) -> AvailabilityRules:
        """Remove the days off that begin on a date; none do no harm. Raise ProviderNotFound as `set_rules` does."""
        ...

    async def set_first_rules(self, *, rules: Mapping[UUID, AvailabilityRules]) -> None:
        """Give hours to up to 500 providers who have none yet.

        Raises:
            ProviderNotFound: One of the providers does not exist.
            RulesInvalid: As for `set_rules`, or one of them has hours already. No hours were set.
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
        duration_minutes: int | None = None,
        address: Address | None = None,
        phone: str | None = None,
        expected_total_minor: int | None = None,
    ) -> BookingView:
        """Hold a time for `FAIRGROUND_BOOKING_HOLD_SECONDS`. Nothing is paid.

        A second call of the same customer for the same service and start returns the hold of the first, which lapses
        when it would have. Its price stays; its details become those of the newest call. Details with another total
        or length make a new hold in the place of the first one, which is cancelled: the total of a booking never
        changes, so that no payment is ever one for another total.

        Raises:
            ServiceNotFound, NotBookable, NotOffered, SlotTaken, PriceChanged, TooManyHolds, OwnService
            DetailsInvalid: `context["field"]` names what is missing or not possible.
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
        """Return the booking, and how to reach the other side where it is confirmed.

        Raise BookingNotFound when there is none or the caller is on neither side.
        """
        ...

    async def list_bookings(
        self,
        *,
        user_id: UUID,
        side: str | None,
        status: BookingStatus | None,
        ended_holds: EndedHolds = EndedHolds.INCLUDED,
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

    async def list_bookings_between(self, *, owner_id: UUID, starts_at: datetime, ends_at: datetime) -> BookingRange:
        """Return the requests, confirmed and completed bookings of a provider that overlap a time, by their start.

        At most CALENDAR_MAX_BOOKINGS.

        Raises:
            DetailsInvalid: The time is empty, or longer than CALENDAR_MAX_DAYS.
        """
        ...

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None: ...

    async def find_booking_sides(self, *, booking_ids: Collection[UUID]) -> dict[UUID, BookingSide]:
        """Return the sides of those of the bookings that exist."""
        ...

    async def get_calendar(self, *, user_id: UUID, booking_id: UUID) -> str:
        """Return the booking as an iCalendar file (RFC 5545) for one of its sides.

        Its METHOD (RFC 5546) is PUBLISH, and CANCEL for what does not take place.

        Raises:
            BookingNotFound: As `get_booking` does.
        """
        ...

    async def get_receipt(self, *, user_id: UUID, booking_id: UUID) -> Receipt:
        """Return the receipt of a booking for its customer.

        Raises:
            BookingNotFound: As `get_booking` does.
            ReceiptNotFound: No money was taken, or the caller is the provider.
        """
        ...

    async def describe_booking(self, *, booking_id: UUID) -> Booking:
        """Return a booking without asking for a side, for mails about it; raise BookingNotFound when there is none."""
        ...

    async def describe_bookings(self, *, booking_ids: Collection[UUID]) -> dict[UUID, Booking]:
        """Return those of the bookings that exist, without asking for a side; at most 500."""
        ...

    async def record_past_bookings(self, *, bookings: list[PastBooking]) -> list[UUID]:
        """Write down up to 500 bookings as completed, so that a provider's history comes along; return their ids.

        Neither side is notified of them.

        Raises:
            ServiceNotFound, NotBookable, SlotTaken: Nothing was written.
            DetailsInvalid: One of them has not ended, or its note is too long.
        """
        ...
