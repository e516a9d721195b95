"""Price models: what the price of a service buys, and the total of a booking that follows from it."""

from enum import StrEnum
from typing import Final

LENGTH_STEP_MINUTES: Final = 30  # a booking by the hour is longer than its shortest length by whole steps
_HOUR_MINUTES: Final = 60


class PriceModel(StrEnum):
    """What one price buys: the whole booking, one person's part of it, or one hour of it."""

    BOOKING = "booking"
    PERSON = "person"
    HOUR = "hour"


def compute_total_minor(model: PriceModel, price_minor: int, *, people: int, minutes: int, step_minor: int) -> int:
    """Return the total of a booking, in minor units of the price's currency.

    Args:
        people: How many take part; only `PERSON` reads it.
        minutes: How long the booking is; only `HOUR` reads it.
        step_minor: What the card processor's charges are multiples of; a part of an hour is rounded up to it.
    """
    match model:
        case PriceModel.BOOKING:
            return price_minor
        case PriceModel.PERSON:
            return price_minor * people
        case PriceModel.HOUR:
            return -(-price_minor * minutes // (_HOUR_MINUTES * step_minor)) * step_minor


def list_lengths(*, shortest_minutes: int, longest_minutes: int | None) -> list[int]:
    """Return the lengths that a booking may have, in minutes: the shortest one, and whole steps more."""
    return list(range(shortest_minutes, (longest_minutes or shortest_minutes) + 1, LENGTH_STEP_MINUTES))
