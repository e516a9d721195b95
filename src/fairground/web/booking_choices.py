"""What a reader has chosen of a booking so far: its service, length and number of people, and the total of those."""

from dataclasses import dataclass

from fairground.contracts.booking import PriceLine
from fairground.contracts.booking.terms import (
    find_people_bounds,
    list_service_lengths,
    make_price_line,
)
from fairground.contracts.providers import Service
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Vertical


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingChoice:
    service: Service
    minutes: int
    people: int | None
    """None where the price does not depend on them and none were chosen."""

    @property
    def total_minor(self) -> int:
        return compute_service_total(self.service, people=self.people, minutes=self.minutes)

    @property
    def line(self) -> PriceLine:
        service = self.service
        return make_price_line(
            service.price_model,
            service.price_minor,
            people=self.people,
            minutes=self.minutes,
            total_minor=self.total_minor,
        )

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of an address, without those that are as they would be without them."""
        query = {"service": str(self.service.id)}
        if self.minutes != self.service.duration_minutes:
            query["duration_minutes"] = str(self.minutes)
        return query | ({"party_size": str(self.people)} if self.people is not None else {})


def choose(service: Service, pack: Vertical, *, minutes: int | None, people: int | None) -> BookingChoice:
    """Return the choice. What is missing or not possible is the shortest length, and the fewest people of a price."""
    lengths, bounds = list_service_lengths(service), find_people_bounds(service, pack.booking)
    if bounds is None or people is None or not bounds.least <= people <= bounds.most:
        people = bounds.least if bounds and service.price_model is PriceModel.PERSON else None
    return BookingChoice(service=service, minutes=minutes if minutes in lengths else lengths[0], people=people)
