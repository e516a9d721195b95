"""Holds: a new one, or the existing one of a customer who repeats the request."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from fairground.contracts.booking import (
    NOTE_MAX_LENGTH,
    AlreadyBooked,
    BookingHeld,
    BookingStatus,
    BookingView,
    NotOffered,
    PriceChanged,
    SlotTaken,
    TooManyHolds,
)
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Offer, Providers
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.record import (
    BookingRecord,
    Details,
    check_bookable,
    check_details,
    clean_text,
    new_record,
    view_of,
)
from fairground.modules.booking.deals.expiry import Expiry
from fairground.modules.booking.deals.rows import UnreadableBooking
from fairground.modules.booking.deals.transitions import ExpireBooking
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.time import slots
from fairground.modules.booking.time.allocations import Allocations
from fairground.modules.booking.time.store.allocations import Schedule
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.db.dialect.guards import LONGEST
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

log = structlog.get_logger(__name__)

Refusal = NotOffered | PriceChanged | SlotTaken


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRequest:
    """A customer's request for a hold, with its details checked."""

    offer: Offer
    pack: Vertical
    owner_id: UUID
    customer_id: UUID
    starts_at: datetime
    """In UTC."""
    details: Details
    expected_total_minor: int | None

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.offer.duration_minutes)

    def find_refusal(self, schedule: Schedule | None) -> Refusal | None:
        """Return why the time plainly cannot be held at the offer's price."""
        offer = self.offer
        if (changed := self.find_price_change(offer.price_minor, offer.currency)) is not None:
            return changed
        if schedule is None:
            return self.not_offered()
        return self.taken() if schedule.is_taken else None

    def find_price_change(self, total_minor: int, currency: str) -> PriceChanged | None:
        if self.expected_total_minor in (None, total_minor):
            return None
        return PriceChanged(
            f"The total is now {total_minor} {currency} (minor units), not {self.expected_total_minor}.",
            total_minor=total_minor,
        )

    def not_offered(self) -> NotOffered:
        return _not_offered(self.offer, self.starts_at)

    def taken(self) -> SlotTaken:
        return SlotTaken(f"{self.offer.provider_name} is no longer available at {self.starts_at:%Y-%m-%d %H:%M} UTC.")

    def new_record(self, *, timezone: str, now: datetime) -> BookingRecord:
        record = new_record(
            self.offer,
            self.pack,
            owner_id=self.owner_id,
            customer_id=self.customer_id,
            starts_at=self.starts_at,
            timezone=timezone,
            now=now,
        )
        details = self.details
        return replace(record, note=details.note, place=details.place, party_size=details.party_size)


class Holds:
    def __init__(
        self,
        *,
        db: Database,
        providers: Providers,
        payments: Payments,
        verticals: Verticals,
        allocations: Allocations,
        expiry: Expiry,
        settings: BookingSettings,
    ) -> None:
        self._db = db
        self._providers = providers
        self._payments = payments
        self._verticals = verticals
        self._allocations = allocations
        self._expiry = expiry
        self._hold_for = timedelta(seconds=settings.hold_seconds)
        self._max_live_holds = settings.max_live_holds

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
        offer = await self._providers.get_offer(service_id=service_id)
        pack, owner_id = check_bookable(offer, self._verticals.find(offer.vertical), customer_id=customer_id)
        check_details(pack.booking, place=place, party_size=party_size)
        note = clean_text("note", note, most=NOTE_MAX_LENGTH)
        request = HoldRequest(
            offer=offer,
            pack=pack,
            owner_id=owner_id,
            customer_id=customer_id,
            starts_at=_in_utc(starts_at, offer),
            details=Details(note=note, place=place, party_size=party_size),
            expected_total_minor=expected_total_minor,
        )
        # The question whether the time is offered and free comes in the same transaction as the claim. One of its own
        # would spare the losers of a rush the wait for the one writer of SQLite, and cost each hold two round trips.
        async with self._db.write() as tx:
            held, now, is_new = await self._hold(tx, request)
        # Nothing was paid for a hold that has just been made.
        payment = None if is_new else await self._payments.find_payment(reference_id=held.id)
        return view_of(held, viewer_id=customer_id, payment=payment, now=now)

    async def _hold(self, tx: WriteTx, request: HoldRequest) -> tuple[BookingRecord, datetime, bool]:
        """Return the held booking, the database's time, and whether the booking is a new one."""
        schedule = await slots.find_offered(
            tx,
            provider_id=request.offer.provider_id,
            starts_at=request.starts_at,
            duration=request.duration,
            booking=request.pack.booking,
        )
        refusal = request.find_refusal(schedule)
        if refusal is None:
            await store.lock_customer(tx, customer_id=request.customer_id)
        # Of two equal requests the second one is refused because of the first, or finds it after the customer's lock.
        own_id = await store.find_own_id(
            tx,
            customer_id=request.customer_id,
            provider_id=request.offer.provider_id,
            starts_at=request.starts_at,
            ends_at=request.starts_at + request.duration,
        )
        if own_id is not None:
            held, now = await self._repeat(tx, own_id, request, refusal=refusal or request.taken())
            return held, now, False
        if schedule is None or refusal is not None:
            raise refusal or request.not_offered()
        held, now = await self._take(tx, request, timezone=schedule.rules.timezone)
        return held, now, True

    async def _repeat(
        self, tx: WriteTx, own_id: UUID, request: HoldRequest, *, refusal: Refusal
    ) -> tuple[BookingRecord, datetime]:
        """Return the customer's hold of the same service and start, with the details of this request.

        Raises:
            AlreadyBooked: The booking is another one, or no longer a hold.
            PriceChanged: The hold has another total than the expected one.
            NotOffered, PriceChanged, SlotTaken: The booking has just ended, or cannot be read; this is the `refusal`.
        """
        try:
            own, now = await store.lock_booking(tx, booking_id=own_id)
        except UnreadableBooking:
            # It keeps its time until its row is repaired.
            log.exception("booking.unreadable", booking_id=str(own_id))
            raise refusal from None
        if not own.is_live(now=now):
            raise refusal
        is_same = own.service_id == request.offer.service_id and own.starts_at == request.starts_at
        if own.status is not BookingStatus.HELD or not is_same:
            raise AlreadyBooked(
                f"You already have a booking at this time: {own.service_name}, {own.starts_at:%Y-%m-%d %H:%M} UTC.",
                booking_id=str(own.id),
                status=own.status.value,
            )
        if (changed := request.find_price_change(own.total_minor, own.currency)) is not None:
            raise changed
        return await store.change_details(tx, own, details=request.details, now=now), now

    async def _take(self, tx: WriteTx, request: HoldRequest, *, timezone: str) -> tuple[BookingRecord, datetime]:
        """Write the booking and claim its time.

        The customer's lock came first, then come the allocations in the way: every transaction takes them in this
        order, so that none waits in a circle.
        """
        now = await self._check_live_holds(tx, customer_id=request.customer_id)
        expires_at = now + self._hold_for
        held = replace(request.new_record(timezone=timezone, now=now), lapses_at=expires_at)
        allocation = store.allocation_of(held)
        await self._expiry.expire_overlapping(tx, allocation)
        await store.insert_booking(tx, held)
        await tx.enqueue(ExpireBooking(booking_id=held.id, was=BookingStatus.HELD), delay=self._hold_for)
        await tx.emit(
            BookingHeld(
                booking_id=held.id,
                customer_id=held.customer_id,
                provider_id=held.provider_id,
                expires_at=expires_at,
            )
        )
        # Last, because from here on until the commit all others who want this time wait for us.
        if not await self._allocations.claim(tx, allocation, expires_at=expires_at):
            raise request.taken()
        return held, now

    async def _check_live_holds(self, tx: WriteTx, *, customer_id: UUID) -> datetime:
        """Return the database's time; raise TooManyHolds for a customer who holds as many times as is allowed."""
        holds = await store.count_live_holds(tx, customer_id=customer_id)
        if holds.first_lapses_at is not None and holds.number >= self._max_live_holds:
            wait = holds.first_lapses_at - holds.now
            raise TooManyHolds(
                f"You already hold {holds.number} slots. The maximum is {self._max_live_holds}.",
                retry_after_seconds=max(1, int(wait.total_seconds()) + 1),
            )
        return holds.now


def _in_utc(starts_at: datetime, offer: Offer) -> datetime:
    """Return the start in UTC; raise NotOffered for one at the first or last day that a date can have."""
    try:
        start = starts_at.astimezone(UTC)
        _ = start - LONGEST, start + LONGEST
    except OverflowError:
        raise _not_offered(offer, starts_at) from None
    return start


def _not_offered(offer: Offer, starts_at: datetime) -> NotOffered:
    return NotOffered(f"{offer.provider_name} does not offer {offer.service_name} at {starts_at.isoformat()}.")
