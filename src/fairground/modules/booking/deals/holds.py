"""Holds: a new one, or the existing one of a customer who repeats the request."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from fairground.contracts.booking import AlreadyBooked, BookingHeld, BookingStatus, BookingView, TooManyHolds
from fairground.contracts.booking.terms import check_length
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Providers
from fairground.kernel.addresses import Address
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.details import check_details
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, check_bookable
from fairground.modules.booking.deals.domain.views import view_of
from fairground.modules.booking.deals.expiry import Expiry
from fairground.modules.booking.deals.hold_requests import HoldRequest, Refusal, in_utc
from fairground.modules.booking.deals.rows import UnreadableBooking, allocation_of
from fairground.modules.booking.deals.store import customers
from fairground.modules.booking.deals.transitions import ExpireBooking, Transitions
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.time import slots
from fairground.modules.booking.time.allocations import Allocations
from fairground.modules.booking.time.store.allocations import Schedule
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals

log = structlog.get_logger(__name__)


class Holds:
    def __init__(
        self,
        *,
        db: Database,
        providers: Providers,
        payments: Payments,
        verticals: Verticals,
        allocations: Allocations,
        transitions: Transitions,
        expiry: Expiry,
        settings: BookingSettings,
    ) -> None:
        self._db = db
        self._providers = providers
        self._payments = payments
        self._verticals = verticals
        self._allocations = allocations
        self._transitions = transitions
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
        duration_minutes: int | None = None,
        address: Address | None = None,
        phone: str | None = None,
        expected_total_minor: int | None = None,
    ) -> BookingView:
        offer = await self._providers.get_offer(service_id=service_id)
        pack, owner_id = check_bookable(offer, self._verticals.find(offer.vertical), customer_id=customer_id)
        details = check_details(
            offer, pack.booking, note=note, place=place, party_size=party_size, address=address, phone=phone
        )
        request = HoldRequest(
            offer=offer,
            pack=pack,
            owner_id=owner_id,
            customer_id=customer_id,
            starts_at=in_utc(starts_at, offer),
            minutes=check_length(offer, duration_minutes),
            details=details,
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
        schedule = await _find_schedule(tx, request)
        refusal = request.find_refusal(schedule)
        if refusal is None:
            await customers.lock_customer(tx, customer_id=request.customer_id)
        # Of two equal requests the second one is refused because of the first, or finds it after the customer's lock.
        own_id = await _find_own_id(tx, request)
        if own_id is not None:
            return await self._repeat(tx, own_id, request, refusal=refusal or request.taken())
        if schedule is None or refusal is not None:
            raise refusal or request.not_offered()
        held, now = await self._take(tx, request, timezone=schedule.rules.timezone)
        return held, now, True

    async def _repeat(
        self, tx: WriteTx, own_id: UUID, request: HoldRequest, *, refusal: Refusal
    ) -> tuple[BookingRecord, datetime, bool]:
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
            # An equal request may have replaced it while this one waited for it.
            newer_id = await _find_own_id(tx, request)
            if newer_id is None or newer_id == own_id:
                raise refusal
            return await self._repeat(tx, newer_id, request, refusal=refusal)
        is_same = own.service_id == request.offer.service_id and own.starts_at == request.starts_at
        if own.status is not BookingStatus.HELD or not is_same:
            raise AlreadyBooked(
                f"You already have a booking at this time: {own.service_name}, {own.starts_at:%Y-%m-%d %H:%M} UTC.",
                booking_id=str(own.id),
                status=own.status.value,
            )
        if not request.keeps_total_of(own):
            return await self._replace(tx, own, request, now=now)
        if (changed := request.find_price_change(own.total_minor, own.currency)) is not None:
            raise changed
        return await store.change_details(tx, own, details=request.details, now=now), now, False

    async def _replace(
        self, tx: WriteTx, own: BookingRecord, request: HoldRequest, *, now: datetime
    ) -> tuple[BookingRecord, datetime, bool]:
        """Make a hold of another total or length in the place of one that this transaction has locked.

        The total of a booking never changes: a payment of the hold that is being made at this moment finds it cancelled
        and is given back. The new one lapses when the old one would have.
        """
        await self._transitions.apply(tx, own, actor=Actor.CUSTOMER, to=BookingStatus.CANCELLED, now=now)
        schedule = await _find_schedule(tx, request)
        refusal = request.find_refusal(schedule)
        if schedule is None or refusal is not None:
            raise refusal or request.not_offered()
        new = replace(request.new_record(timezone=schedule.rules.timezone, now=now), created_at=own.created_at)
        expires_at = own.lapses_at or now + self._hold_for
        held = replace(new, lapses_at=expires_at)
        await self._write(tx, request, held, expires_at=expires_at, now=now)
        return held, now, True

    async def _take(self, tx: WriteTx, request: HoldRequest, *, timezone: str) -> tuple[BookingRecord, datetime]:
        """Write the booking and claim its time.

        The customer's lock came first, then come the allocations in the way: every transaction takes them in this
        order, so that none waits in a circle.
        """
        now = await self._check_live_holds(tx, customer_id=request.customer_id)
        held = replace(request.new_record(timezone=timezone, now=now), lapses_at=now + self._hold_for)
        await self._write(tx, request, held, expires_at=now + self._hold_for, now=now)
        return held, now

    async def _write(
        self, tx: WriteTx, request: HoldRequest, held: BookingRecord, *, expires_at: datetime, now: datetime
    ) -> None:
        allocation = allocation_of(held)
        await self._expiry.expire_overlapping(tx, allocation)
        await store.insert_booking(tx, held)
        await tx.enqueue(ExpireBooking(booking_id=held.id, was=BookingStatus.HELD), delay=expires_at - now)
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

    async def _check_live_holds(self, tx: WriteTx, *, customer_id: UUID) -> datetime:
        """Return the database's time; raise TooManyHolds for a customer who holds as many times as is allowed."""
        holds = await customers.count_live_holds(tx, customer_id=customer_id)
        if holds.first_lapses_at is not None and holds.number >= self._max_live_holds:
            wait = holds.first_lapses_at - holds.now
            raise TooManyHolds(
                f"You already hold {holds.number} slots. The maximum is {self._max_live_holds}.",
                retry_after_seconds=max(1, int(wait.total_seconds()) + 1),
            )
        return holds.now


async def _find_schedule(tx: WriteTx, request: HoldRequest) -> Schedule | None:
    return await slots.find_offered(
        tx,
        provider_id=request.offer.provider_id,
        starts_at=request.starts_at,
        duration=request.duration,
        booking=request.pack.booking,
    )


async def _find_own_id(tx: WriteTx, request: HoldRequest) -> UUID | None:
    return await store.find_own_id(
        tx,
        customer_id=request.customer_id,
        provider_id=request.offer.provider_id,
        starts_at=request.starts_at,
        ends_at=request.starts_at + request.duration,
    )
