"""The terms of a booking: its details, its deadlines, and what cancelling gives back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fairground.contracts.booking import BookingStatus, CancellationPreview, DetailsInvalid, RefundTerm
from fairground.kernel import text as text_rules
from fairground.kernel.money import find_currency
from fairground.kernel.text import refused_as
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.verticals.cancellation import CancellationPolicy
from fairground.verticals.schema import BookingRules

LONGEST_WAIT_FOR_ANSWER: Final = timedelta(days=5)  # a card's reservation lasts seven days
PAYING_TAKES: Final = timedelta(minutes=2)  # long enough to answer the bank's question
LONGEST_HOLD: Final = timedelta(minutes=30)
_WHOLE: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What a customer says of a booking, and may change while it is held."""

    note: str | None
    place: str | None
    party_size: int | None


def clean_text(name: str, text: str | None, *, most: int) -> str | None:
    """Return the text as it is kept, or None when it shows nothing.

    Raises:
        DetailsInvalid: It has more than `most` characters, or one that `kernel.text` refuses.
    """
    with refused_as(DetailsInvalid, f"The {name}", field=name):
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


def preview_cancellation(
    actor: Actor,
    *,
    status: BookingStatus,
    policy: CancellationPolicy,
    total_minor: int,
    currency: str,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> CancellationPreview:
    """Say what cancelling now gives back. Before a booking is confirmed no money was taken, so none is given back."""
    step_minor = find_currency(currency).step_minor
    taken_minor = total_minor if status is BookingStatus.CONFIRMED else 0
    if actor is Actor.PROVIDER:
        refund_minor, free_until = taken_minor, ends_at
    else:
        refund_minor = policy.refund_minor(taken_minor, before_start=starts_at - now, step_minor=step_minor)
        free_until = starts_at - _notice_for_all(policy)
    return CancellationPreview(
        refund_minor=refund_minor,
        keep_minor=taken_minor - refund_minor,
        currency=currency,
        free_until=free_until if free_until > now else None,
        terms=[
            RefundTerm(until=term.until, refund_percent=term.refund_percent, refund_minor=term.refund_minor)
            for term in policy.terms(total_minor, step_minor=step_minor, starts_at=starts_at, now=now)
        ],
    )


def _notice_for_all(policy: CancellationPolicy) -> timedelta:
    """Return how long before the start cancelling still gives everything back; for ever, when it never does."""
    hours = [step.at_least_hours for step in policy.steps if step.refund_percent == _WHOLE]
    return timedelta(hours=hours[0]) if hours else timedelta(days=10_000)
