"""What a customer wants to hold, with its details checked, and why it may be refused."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fairground.contracts.booking import NotOffered, PriceChanged, SlotTaken
from fairground.contracts.providers import Offer
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.modules.booking.deals.domain.record import BookingRecord, Details, new_record, with_details
from fairground.modules.booking.time.store.allocations import Schedule
from fairground.platform.db.dialect.guards import LONGEST
from fairground.verticals.schema import Vertical

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
    minutes: int
    details: Details
    expected_total_minor: int | None

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def total_minor(self) -> int:
        return compute_service_total(self.offer, people=self.details.party_size, minutes=self.minutes)

    def keeps_total_of(self, held: BookingRecord) -> bool:
        """Return whether a hold keeps its length and, at the price it was made at, its total."""
        total_minor = held.total_for(people=self.details.party_size, minutes=self.minutes)
        return held.minutes == self.minutes and held.total_minor == total_minor

    def find_refusal(self, schedule: Schedule | None) -> Refusal | None:
        """Return why the time plainly cannot be held at the offer's price."""
        if (changed := self.find_price_change(self.total_minor, self.offer.currency)) is not None:
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
        return not_offered(self.offer, self.starts_at)

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
            people=self.details.party_size,
            minutes=self.minutes,
        )
        return with_details(record, self.details)


def in_utc(starts_at: datetime, offer: Offer) -> datetime:
    """Return the start in UTC; raise NotOffered for one at the first or last day that a date can have."""
    try:
        start = starts_at.astimezone(UTC)
        _ = start - LONGEST, start + LONGEST
    except OverflowError:
        raise not_offered(offer, starts_at) from None
    return start


def not_offered(offer: Offer, starts_at: datetime) -> NotOffered:
    return NotOffered(f"{offer.provider_name} does not offer {offer.service_name} at {starts_at.isoformat()}.")
