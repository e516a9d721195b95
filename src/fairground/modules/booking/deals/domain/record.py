"""A booking as it is stored."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from fairground.contracts.booking import BookingNotFound, BookingStatus, CancellationPreview, NotBookable, OwnService
from fairground.contracts.providers import BookingMode, Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.domain.machine import ENDED_WITHOUT, LIVE, Actor, Situation
from fairground.modules.booking.deals.domain.terms import preview_cancellation
from fairground.modules.booking.time.domain.allocation import Allocation
from fairground.verticals.cancellation import CancellationPolicy
from fairground.verticals.schema import Vertical

_ENDED_AS_HOLD = 2  # the version of a hold that was cancelled or lapsed


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingRecord:
    """The row of a booking, when it lapses, and the side of its last change. `view.py` says what is public of it."""

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

    @property
    def allocation(self) -> Allocation:
        return Allocation(
            booking_id=self.id,
            provider_id=self.provider_id,
            provider_slug=self.provider_slug,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )

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
        return preview_cancellation(
            actor,
            status=self.status,
            policy=self.cancellation,
            total_minor=self.total_minor,
            currency=self.currency,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            now=now,
        )

    def refund_due_minor(self, *, captured_minor: int) -> int:
        """Return what is to be given back of the money that was taken, now that the booking has ended; else 0."""
        if self.status not in ENDED_WITHOUT:
            return 0
        if not self.was_confirmed:
            return captured_minor
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
