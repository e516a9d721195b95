"""A booking: what is stored of it, its deadlines, what cancelling gives back, and what others see of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.booking import (
    Booking,
    BookingNotFound,
    BookingSide,
    BookingStatus,
    BookingView,
    CancellationPreview,
    DetailsInvalid,
    NextStep,
    NotBookable,
    OwnService,
    RefundTerm,
)
from fairground.contracts.payments import Payment
from fairground.contracts.providers import BookingMode, Offer
from fairground.kernel import text as text_rules
from fairground.kernel.ids import uuid7
from fairground.kernel.money import find_currency
from fairground.modules.booking.deals.domain.machine import ENDED_WITHOUT, LIVE, Actor, Situation, next_steps
from fairground.verticals.cancellation_policy import CancellationPolicy
from fairground.verticals.schema import BookingRules, Vertical

LONGEST_WAIT_FOR_ANSWER: Final = timedelta(days=5)  # a card's reservation lasts seven days
PAYING_TAKES: Final = timedelta(minutes=2)  # long enough to answer the bank's question
LONGEST_HOLD: Final = timedelta(minutes=30)
_WHOLE: Final = 100
_ENDED_AS_HOLD: Final = 2  # the version of a hold that was cancelled or lapsed


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What a customer says of a booking, and may change while it is held."""

    note: str | None
    place: str | None
    party_size: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffDecision:
    """A cancellation by staff: for which side, why, and what the customer gets back."""

    staff_id: UUID
    on_behalf_of: Actor
    reason: str
    refund_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingRecord:
    """The row of a booking, when it lapses, and the side of its last change.

    A new field stays private until `booking_of` or `view_of` names it.
    """

    id: UUID
    version: int
    status: BookingStatus
    booking_mode: BookingMode
    customer_id: UUID
    provider_id: UUID
    provider_owner_id: UUID
    provider_name: str
    provider_slug: str
    service_id: UUID
    service_name: str
    vertical: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    total_minor: int
    currency: str
    cancellation: CancellationPolicy
    answer_due_hours: int
    created_at: datetime
    changed_at: datetime
    place: str | None = None
    note: str | None = None
    party_size: int | None = None
    decline_reason: str | None = None
    was_confirmed: bool = False
    has_customer_review: bool = False
    has_provider_review: bool = False
    lapses_at: datetime | None = None
    """When the hold or the unanswered request lapses; None in every other status."""
    changed_by: Actor = Actor.CUSTOMER
    """The side of the last change of status."""
    decided_refund_minor: int | None = None
    """What staff decided to give back when they cancelled it; None where they did not."""

    def is_live(self, *, now: datetime) -> bool:
        """Return whether the booking takes its time: it has not ended, and its hold or request has not lapsed."""
        has_lapsed = self.lapses_at is not None and self.lapses_at <= now
        return self.status in LIVE and not has_lapsed

    def side_of(self, user_id: UUID) -> Actor:
        """Raise BookingNotFound for a user on neither side: the bookings of others do not exist for them."""
        if user_id == self.customer_id:
            return Actor.CUSTOMER
        if user_id == self.provider_owner_id:
            return Actor.PROVIDER
        raise not_found(self.id)

    def reached(self) -> list[BookingStatus]:
        """Return every status that the booking has had, the present one last.

        The version counts them: only a booking that was requested ends behind its second one without a confirmation.
        """
        is_request = self.booking_mode is BookingMode.REQUEST
        has_passed_it = self.was_confirmed or self.version > _ENDED_AS_HOLD
        was_requested = is_request and (has_passed_it or self.status is BookingStatus.REQUESTED)
        passed = [BookingStatus.HELD]
        passed += [BookingStatus.REQUESTED] if was_requested else []
        passed += [BookingStatus.CONFIRMED] if self.was_confirmed else []
        return passed if self.status in passed else [*passed, self.status]

    def was_only_held(self) -> bool:
        """Return whether it ended as a hold, of which only its customer knew."""
        return self.status in ENDED_WITHOUT and self.reached() == [BookingStatus.HELD, self.status]

    def ended_at(self) -> datetime | None:
        return None if self.status in LIVE else self.changed_at

    def is_reviewed_by(self, side: Actor) -> bool:
        return self.has_customer_review if side is Actor.CUSTOMER else self.has_provider_review

    def situation(self, *, now: datetime) -> Situation:
        return Situation(
            booking_mode=self.booking_mode,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            lapses_at=self.lapses_at,
            now=now,
        )

    def preview_cancellation(self, actor: Actor, *, now: datetime) -> CancellationPreview:
        """Say what cancelling now gives back. Before a booking is confirmed no money was taken, so none goes back."""
        step_minor = find_currency(self.currency).step_minor
        taken_minor = self.total_minor if self.status is BookingStatus.CONFIRMED else 0
        if actor is Actor.PROVIDER:
            refund_minor, free_until = taken_minor, self.ends_at
        else:
            before_start = self.starts_at - now
            refund_minor = self.cancellation.refund_minor(taken_minor, before_start=before_start, step_minor=step_minor)
            free_until = self.starts_at - _notice_for_all(self.cancellation)
        terms = self.cancellation.terms(self.total_minor, step_minor=step_minor, starts_at=self.starts_at, now=now)
        return CancellationPreview(
            refund_minor=refund_minor,
            keep_minor=taken_minor - refund_minor,
            currency=self.currency,
            free_until=free_until if free_until > now else None,
            terms=[
                RefundTerm(until=term.until, refund_percent=term.refund_percent, refund_minor=term.refund_minor)
                for term in terms
            ],
        )

    def staff_refund_minor(self, *, on_behalf_of: Actor, is_full: bool, now: datetime) -> int:
        """Return what a cancellation by staff gives back: what the policy gives that side, or all that was taken."""
        return self.preview_cancellation(Actor.PROVIDER if is_full else on_behalf_of, now=now).refund_minor

    def refund_due_minor(self, *, captured_minor: int) -> int:
        """Return what is to be given back of the money that was taken, now that the booking has ended; else 0."""
        if self.status not in ENDED_WITHOUT:
            return 0
        if not self.was_confirmed:
            return captured_minor
        if self.decided_refund_minor is not None:
            return self.decided_refund_minor
        confirmed = replace(self, status=BookingStatus.CONFIRMED)
        return confirmed.preview_cancellation(self.changed_by, now=self.changed_at).refund_minor


def not_found(booking_id: UUID) -> BookingNotFound:
    return BookingNotFound(f"You have no booking {booking_id}.")


def check_bookable(offer: Offer, pack: Vertical | None, *, customer_id: UUID) -> tuple[Vertical, UUID]:
    """Return the pack and the owner of an offer that this customer may book; raise OwnService or NotBookable."""
    if offer.owner_id == customer_id:
        raise OwnService("This is your own service; you cannot book it.")
    if not offer.is_bookable or offer.owner_id is None or pack is None:
        raise NotBookable(f"{offer.provider_name} cannot be booked here yet.")
    return pack, offer.owner_id


def new_record(
    offer: Offer,
    pack: Vertical,
    *,
    owner_id: UUID,
    customer_id: UUID,
    starts_at: datetime,
    timezone: str,
    now: datetime,
) -> BookingRecord:
    """Copy what must stay as it is now: prices, names and policies change, a booking's terms do not."""
    return BookingRecord(
        id=uuid7(),
        version=1,
        status=BookingStatus.HELD,
        booking_mode=offer.booking_mode,
        customer_id=customer_id,
        provider_id=offer.provider_id,
        provider_owner_id=owner_id,
        provider_name=offer.provider_name,
        provider_slug=offer.provider_slug,
        service_id=offer.service_id,
        service_name=offer.service_name,
        vertical=offer.vertical,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=offer.duration_minutes),
        timezone=timezone,
        total_minor=offer.price_minor,
        currency=offer.currency,
        cancellation=pack.cancellation,
        answer_due_hours=pack.booking.answer_due_hours,
        created_at=now,
        changed_at=now,
    )


def clean_text(name: str, text: str | None, *, most: int) -> str | None:
    """Return the text as it is kept, or None when it shows nothing.

    Raises:
        DetailsInvalid: It has more than `most` characters, or one that `kernel.text` refuses.
    """
    with text_rules.refused_as(DetailsInvalid, f"The {name}", field=name):
        return text_rules.clean_text(text or "", most=most) or None


def check_details(booking: BookingRules, *, place: str | None, party_size: int | None) -> None:
    """Raise DetailsInvalid when the vertical does not allow the place or the number of people."""
    if place is None and booking.place_required:
        raise DetailsInvalid(f"Say where it happens: place is one of {', '.join(booking.places)}.", field="place")
    if place is not None and place not in booking.places:
        raise DetailsInvalid(f"The place {place!r} is not one of {', '.join(booking.places)}.", field="place")
    if party_size is None:
        return
    if booking.party_size is None:
        raise DetailsInvalid("Bookings here have no group size; leave party_size out.", field="party_size")
    least, most = booking.party_size.minimum, booking.party_size.maximum
    if not least <= party_size <= most:
        raise DetailsInvalid(
            f"party_size is {party_size}; it must be {least} to {most}.",
            field="party_size",
            minimum=least,
            maximum=most,
        )


def prolong_hold(*, lapses_at: datetime, held_since: datetime, now: datetime) -> datetime | None:
    """Return until when a hold stays while its customer pays, or None when it has been held long enough."""
    latest = held_since + LONGEST_HOLD
    return min(max(lapses_at, now + PAYING_TAKES), latest) if now < latest else None


def answer_due(*, hours: int, starts_at: datetime, now: datetime) -> datetime:
    """Return until when the provider may answer: never after the start, and while the card's reservation lasts."""
    return min(now + min(timedelta(hours=hours), LONGEST_WAIT_FOR_ANSWER), starts_at)


def _notice_for_all(policy: CancellationPolicy) -> timedelta:
    """Return how long before the start cancelling still gives everything back; for ever, when it never does."""
    hours = [step.at_least_hours for step in policy.steps if step.refund_percent == _WHOLE]
    return timedelta(hours=hours[0]) if hours else timedelta(days=10_000)


def booking_of(record: BookingRecord) -> Booking:
    return Booking(
        id=record.id,
        status=record.status,
        customer_id=record.customer_id,
        provider_id=record.provider_id,
        provider_name=record.provider_name,
        provider_slug=record.provider_slug,
        service_id=record.service_id,
        service_name=record.service_name,
        vertical=record.vertical,
        booking_mode=record.booking_mode,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        timezone=record.timezone,
        place=record.place,
        note=record.note,
        party_size=record.party_size,
        total_minor=record.total_minor,
        currency=record.currency,
        expires_at=record.lapses_at if record.status is BookingStatus.HELD else None,
        answer_due_at=record.lapses_at if record.status is BookingStatus.REQUESTED else None,
        decline_reason=record.decline_reason,
        created_at=record.created_at,
    )


def side_of(record: BookingRecord) -> BookingSide:
    return BookingSide(
        booking_id=record.id,
        status=record.status,
        customer_id=record.customer_id,
        provider_id=record.provider_id,
        provider_slug=record.provider_slug,
        provider_owner_id=record.provider_owner_id,
        was_only_held=record.was_only_held(),
        ended_at=record.ended_at(),
    )


def view_of(record: BookingRecord, *, viewer_id: UUID, payment: Payment | None, now: datetime) -> BookingView:
    """Return the booking as this side sees it; raise BookingNotFound for a user on neither side."""
    side = record.side_of(viewer_id)
    steps = next_steps(
        side,
        current=record.status,
        situation=record.situation(now=now),
        is_reviewed=record.is_reviewed_by(side),
    )
    return BookingView(
        **dict(booking_of(record)),
        side=side.value,
        next_steps=steps,
        payment=payment,
        refund_due_minor=record.refund_due_minor(captured_minor=payment.captured_minor if payment else 0),
        cancellation=record.preview_cancellation(side, now=now) if NextStep.CANCEL in steps else None,
        reached=record.reached(),
        ended_at=record.ended_at(),
    )
