"""What a booking of a service may be: its places, lengths and numbers of people, and what its total is made of.

The rules of a hold and of the pages that lead to it.
"""

from typing import Final, NamedTuple

from fairground.contracts.booking.bookings import PARTY_SIZE_MAX, DetailsInvalid, PriceLine
from fairground.contracts.providers import Offer, Service, ServiceTerms
from fairground.verticals.pricing import PriceModel, list_lengths
from fairground.verticals.schema import BookingRules, Place

_HOUR_MINUTES: Final = 60
_PLACES: Final = 4  # of a number of hours, for readers; the total is computed from whole minutes


class PeopleBounds(NamedTuple):
    """How many people a booking may be for, both included."""

    least: int
    most: int


def list_places(service: Service | Offer, rules: BookingRules) -> list[Place]:
    """Return where a service can take place, as far as its vertical still allows, the usual place first."""
    return [place for place in rules.places if place in service.places]


def list_service_lengths(service: ServiceTerms) -> list[int]:
    """Return the lengths of which a booking may choose, in minutes; one, unless the price is by the hour."""
    longest = service.max_duration_minutes if service.price_model is PriceModel.HOUR else None
    return list_lengths(shortest_minutes=service.duration_minutes, longest_minutes=longest)


def check_length(service: ServiceTerms, duration_minutes: int | None) -> int:
    """Return the length of a booking in minutes, the service's shortest if unset.

    Raises:
        DetailsInvalid: The service has no such length.
    """
    lengths = list_service_lengths(service)
    if duration_minutes is None or duration_minutes in lengths:
        return duration_minutes or lengths[0]
    raise DetailsInvalid(
        f"The duration must be one of {', '.join(map(str, lengths))} minutes, not {duration_minutes}.",
        field="duration_minutes",
        lengths=lengths,
    )


def find_people_bounds(service: ServiceTerms, rules: BookingRules) -> PeopleBounds | None:
    """Return the service's bounds, the vertical's where it has none, and None where people are not counted."""
    if service.max_people is not None:
        return PeopleBounds(service.min_people, service.max_people)
    if rules.party_size is not None:
        return PeopleBounds(max(service.min_people, rules.party_size.minimum), rules.party_size.maximum)
    return PeopleBounds(service.min_people, PARTY_SIZE_MAX) if service.price_model is PriceModel.PERSON else None


def make_price_line(
    model: PriceModel, price_minor: int, *, people: int | None, minutes: int, total_minor: int
) -> PriceLine:
    """Return what a total is made of."""
    hours = round(minutes / _HOUR_MINUTES, _PLACES)
    quantities: dict[PriceModel, int | float] = {
        PriceModel.BOOKING: 1,
        PriceModel.PERSON: people or 1,
        PriceModel.HOUR: int(hours) if hours.is_integer() else hours,
    }
    return PriceLine(unit=model, unit_price_minor=price_minor, quantity=quantities[model], total_minor=total_minor)
