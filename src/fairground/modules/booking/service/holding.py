"""Taking a time, and letting it go when nobody paid for it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from fairground.contracts.booking import (
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
from fairground.contracts.catalog import Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.domain.record import BookingRecord, new_record
from fairground.modules.booking.domain.slots import is_offered
from fairground.modules.booking.domain.terms import NOTE_MAX_LENGTH, check_details, clean_text
from fairground.modules.booking.service.desk import Desk
from fairground.modules.booking.service.jobs import ExpireBooking
from fairground.modules.booking.service.moving import touch_time
from fairground.modules.booking.store import allocations, bookings, rules
from fairground.platform.db.database import WriteTx
from fairground.verticals.schema import Vertical


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
        _check_price(offer, expected_total_minor=expected_total_minor)
        wanted = {"note": clean_text("note", note, most=NOTE_MAX_LENGTH), "place": place, "party_size": party_size}
        hours, now = await self._check_offered(offer, pack, starts_at=starts_at)
        record = new_record(
            offer,
            pack,
            owner_id=owner_id,
            customer_id=customer_id,
            starts_at=starts_at.astimezone(UTC),
            timezone=hours.timezone,
            now=now,
        ).model_copy(update=wanted)
        async with self._db.write() as tx:
            held = await self._take(tx, record)
        return await self._view(customer_id, held, now=now)

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

    async def _take(self, tx: WriteTx, record: BookingRecord) -> BookingRecord:
        """Write the booking and claim its time.

        The customer's lock comes first, then the allocations in the way: everybody takes them in this order, so that
        nobody waits in a circle.
        """
        await bookings.lock_customer(tx, customer_id=record.customer_id)
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
            other, now = await self._lock(tx, booking_id)
            await self._move(tx, other, actor=Actor.SYSTEM, to=BookingStatus.EXPIRED, now=now)


def _check_price(offer: Offer, *, expected_total_minor: int | None) -> None:
    if expected_total_minor is not None and expected_total_minor != offer.price_minor:
        raise PriceChanged(
            f"The total is {offer.price_minor} {offer.currency} in minor units, not {expected_total_minor}.",
            total_minor=offer.price_minor,
        )


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
