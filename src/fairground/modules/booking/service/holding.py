"""Taking a time, and letting it go when nobody paid for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from pydantic import ValidationError

from fairground.contracts.booking import (
    AlreadyBooked,
    AvailabilityRules,
    BookingHeld,
    BookingStatus,
    BookingView,
    NotBookable,
    NotOffered,
    OwnService,
    PriceChanged,
    SlotTaken,
    TooManyHolds,
)
from fairground.contracts.providers import Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.domain.record import BookingRecord, new_record
from fairground.modules.booking.domain.slots import is_offered
from fairground.modules.booking.domain.terms import NOTE_MAX_LENGTH, check_details, clean_text
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.service.jobs import ExpireBooking
from fairground.modules.booking.service.moving import touch_time
from fairground.modules.booking.store import allocations, bookings, rules
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.verticals.schema import Vertical

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class HoldRequest:
    """What a customer asks for, its details checked."""

    offer: Offer
    customer_id: UUID
    starts_at: datetime
    details: Mapping[str, str | int | None]
    """`note`, `place` and `party_size`."""
    expected_total_minor: int | None

    def check_total(self, total_minor: int, currency: str) -> None:
        """Raise PriceChanged unless the total is the expected one, or none is expected."""
        if self.expected_total_minor not in (None, total_minor):
            raise PriceChanged(
                f"The total is {total_minor} {currency} in minor units, not {self.expected_total_minor}.",
                total_minor=total_minor,
            )


class Holding(Desk):
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
        offer = await self._catalog.get_offer(service_id=service_id)
        pack, owner_id = self._who_can_be_booked(offer, customer_id=customer_id)
        check_details(pack.booking, place=place, party_size=party_size)
        note = clean_text("note", note, most=NOTE_MAX_LENGTH)
        request = HoldRequest(
            offer=offer,
            customer_id=customer_id,
            starts_at=starts_at,
            details={"note": note, "place": place, "party_size": party_size},
            expected_total_minor=expected_total_minor,
        )
        try:
            record, now = await self._check_new(request, pack, owner_id=owner_id)
        except (NotOffered, PriceChanged, SlotTaken) as refusal:
            # Of two equal requests the second one is refused because of the first.
            held, now = await self._repeat_earlier(request, refusal=refusal)
        else:
            async with self._db.write() as tx:
                held = await self._take(tx, record, request)
        return await self._view(customer_id, held, now=now)

    async def _check_new(
        self, request: HoldRequest, pack: Vertical, *, owner_id: UUID
    ) -> tuple[BookingRecord, datetime]:
        """Return the booking as it would be held, and the database's time; refuse what plainly cannot be held."""
        offer = request.offer
        request.check_total(offer.price_minor, offer.currency)
        hours, now = await self._check_offered(offer, pack, starts_at=request.starts_at)
        record = new_record(
            offer,
            pack,
            owner_id=owner_id,
            customer_id=request.customer_id,
            starts_at=request.starts_at.astimezone(UTC),
            timezone=hours.timezone,
            now=now,
        )
        return record.model_copy(update=request.details), now

    async def _repeat_earlier(
        self, request: HoldRequest, *, refusal: NotOffered | PriceChanged | SlotTaken
    ) -> tuple[BookingRecord, datetime]:
        """Answer by the customer's own booking of this time; raise the refusal when there is none."""
        # Read first: the losers of a rush must not queue for the one writer of SQLite.
        async with self._db.read() as tx:
            own_id = await _find_own_id(tx, request)
        if own_id is None:
            raise refusal
        async with self._db.write() as tx:
            return await self._repeat(tx, own_id, request, refusal=refusal), await tx.current_time()

    async def _repeat(
        self, tx: WriteTx, own_id: UUID, request: HoldRequest, *, refusal: NotOffered | PriceChanged | SlotTaken
    ) -> BookingRecord:
        """Return the customer's hold of the same service and start, with the details of this request.

        Raises:
            AlreadyBooked: The booking is another one, or no longer a hold.
            PriceChanged: The hold has another total than the expected one.
            NotOffered, PriceChanged, SlotTaken: The booking has just ended; this is the `refusal`.
        """
        own, now = await self._lock(tx, own_id)
        if not own.is_live(now=now):
            raise refusal
        is_same = own.service_id == request.offer.service_id and own.starts_at == request.starts_at
        if own.status is not BookingStatus.HELD or not is_same:
            raise AlreadyBooked(
                f"Your own booking of {own.service_name} at {own.starts_at:%Y-%m-%d %H:%M} UTC takes this time.",
                booking_id=str(own.id),
                status=own.status.value,
            )
        request.check_total(own.total_minor, own.currency)
        return await bookings.change_details(tx, own, details=request.details, now=now)

    async def _check_offered(
        self, offer: Offer, pack: Vertical, *, starts_at: datetime
    ) -> tuple[AvailabilityRules, datetime]:
        """Refuse what the rules do not offer and what is plainly taken; return the rules and the database's time."""
        duration = timedelta(minutes=offer.duration_minutes)
        async with self._db.read() as tx:
            hours = await rules.find_rules(tx, provider_id=offer.provider_id)
            now = await tx.current_time()
            if hours is None or not is_offered(
                hours, starts_at=starts_at, duration=duration, booking=pack.booking, now=now
            ):
                raise NotOffered(
                    f"{offer.provider_name} does not offer {offer.service_name} at {starts_at.isoformat()}."
                )
            # Only spares the loser of a past rush a transaction; who gets a free time is decided by the claim.
            busy = await allocations.list_busy(
                tx, provider_id=offer.provider_id, starts_at=starts_at, ends_at=starts_at + duration
            )
        if busy:
            raise _taken(offer.provider_name, starts_at)
        return hours, now

    def _who_can_be_booked(self, offer: Offer, *, customer_id: UUID) -> tuple[Vertical, UUID]:
        if offer.owner_id == customer_id:
            raise OwnService("This is your own service; nobody can book themselves.")
        pack = self._verticals.find(offer.vertical)
        if not offer.is_bookable or offer.owner_id is None or pack is None:
            raise NotBookable(f"{offer.provider_name} cannot be booked here yet.")
        return pack, offer.owner_id

    async def _take(self, tx: WriteTx, record: BookingRecord, request: HoldRequest) -> BookingRecord:
        """Write the booking and claim its time, unless an equal request has just done so.

        The customer's lock comes first, then the allocations in the way: everybody takes them in this order, so that
        nobody waits in a circle.
        """
        await bookings.lock_customer(tx, customer_id=record.customer_id)
        if (own_id := await _find_own_id(tx, request)) is not None:
            return await self._repeat(tx, own_id, request, refusal=_taken(record.provider_name, record.starts_at))
        await self._check_live_holds(tx, customer_id=record.customer_id)
        await self._expire_in_the_way(tx, record)
        now = await tx.current_time()
        hold_for = timedelta(seconds=self._settings.hold_seconds)
        held = record.model_copy(update={"expires_at": now + hold_for, "created_at": now, "changed_at": now})
        await bookings.insert_booking(tx, held)
        await tx.enqueue(ExpireBooking(booking_id=held.id, was=BookingStatus.HELD), delay=hold_for)
        await tx.emit(
            BookingHeld(
                booking_id=held.id,
                customer_id=held.customer_id,
                provider_id=held.provider_id,
                expires_at=now + hold_for,
            )
        )
        # Last, because from here on until the commit all others who want this time wait for us.
        if not await allocations.claim_time(tx, _claim(held, expires_at=now + hold_for)):
            raise _taken(held.provider_name, held.starts_at)
        touch_time(tx, held)
        return held

    async def _check_live_holds(self, tx: WriteTx, *, customer_id: UUID) -> None:
        lapsing = await bookings.list_live_holds(tx, customer_id=customer_id)
        if len(lapsing) >= self._settings.max_live_holds:
            wait = lapsing[0] - await tx.current_time()
            raise TooManyHolds(
                f"You hold {len(lapsing)} times already, and {self._settings.max_live_holds} is the most.",
                retry_after_seconds=max(1, int(wait.total_seconds()) + 1),
            )

    async def _expire_in_the_way(self, tx: WriteTx, record: BookingRecord) -> None:
        """End the lapsed holds that overlap; the guard counts them as live until somebody does."""
        lapsed = await allocations.lock_lapsed_in_the_way(
            tx, provider_id=record.provider_id, starts_at=record.starts_at, ends_at=record.ends_at
        )
        for booking_id in lapsed:
            try:
                other, now = await self._lock(tx, booking_id)
            except ValidationError:
                # It keeps its time until it is mended; the claim then says that the time is taken.
                log.exception("booking.not_expired", booking_id=str(booking_id))
                continue
            await self._move(tx, other, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)


def _claim(record: BookingRecord, *, expires_at: datetime) -> allocations.Claim:
    return allocations.Claim(
        id=uuid7(),
        booking_id=record.id,
        provider_id=record.provider_id,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        expires_at=expires_at,
    )


def _taken(provider_name: str, starts_at: datetime) -> SlotTaken:
    return SlotTaken(f"{provider_name} is not free at {starts_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC any more.")


async def _find_own_id(tx: ReadTx, request: HoldRequest) -> UUID | None:
    try:
        starts_at = request.starts_at.astimezone(UTC)
        ends_at = starts_at + timedelta(minutes=request.offer.duration_minutes)
    except OverflowError:  # at the ends of time nothing can be booked
        return None
    return await bookings.find_own_id(
        tx,
        customer_id=request.customer_id,
        provider_id=request.offer.provider_id,
        starts_at=starts_at,
        ends_at=ends_at,
    )
