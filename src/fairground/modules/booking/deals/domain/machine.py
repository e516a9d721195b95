"""The transitions of a booking: from which status to which, by which side, and when. Nothing else changes a status."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from fairground.contracts.booking import BookingStatus, NextStep, NotYet, StatusConflict
from fairground.contracts.payments import PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.errors import Conflict


class Actor(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    STAFF = "staff"
    """A member of staff, for one of the sides."""
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The facts that the guards of transitions look at."""

    booking_mode: BookingMode
    starts_at: datetime
    ends_at: datetime
    lapses_at: datetime | None
    """When the hold or the request lapses; None for neither."""
    now: datetime


@dataclass(frozen=True)
class Guard:
    is_met: Callable[[Situation], bool]
    refuse: Callable[[Situation], Conflict]


@dataclass(frozen=True)
class Transition:
    guard: Guard
    step: NextStep | None = None
    """The step by which a person makes this transition; None for one that only the program makes."""


def _wrong_mode(situation: Situation) -> Conflict:
    return StatusConflict(f"That isn't possible for a booking in {situation.booking_mode} mode.")


ALWAYS: Final = Guard(lambda _: True, lambda _: StatusConflict("That isn't possible now."))
NEEDS_ANSWER: Final = Guard(lambda at: at.booking_mode is BookingMode.REQUEST, _wrong_mode)
IS_INSTANT: Final = Guard(lambda at: at.booking_mode is BookingMode.INSTANT, _wrong_mode)
HAS_LAPSED: Final = Guard(
    lambda at: at.lapses_at is not None and at.lapses_at <= at.now,
    lambda at: NotYet(f"It expires at {at.lapses_at:%Y-%m-%d %H:%M} UTC."),
)
BEFORE_START: Final = Guard(
    lambda at: at.now < at.starts_at,
    lambda at: StatusConflict(f"It started at {at.starts_at:%Y-%m-%d %H:%M} UTC, so this is no longer possible."),
)
AFTER_END: Final = Guard(
    lambda at: at.ends_at <= at.now,
    lambda at: NotYet(
        f"It ends at {at.ends_at:%Y-%m-%d %H:%M} UTC and can't be completed before then.",
        hint="Try again after it ends.",
    ),
)

_S = BookingStatus
TRANSITIONS: Final = {
    (Actor.CUSTOMER, _S.HELD, _S.REQUESTED): Transition(NEEDS_ANSWER, NextStep.PAY),
    (Actor.CUSTOMER, _S.HELD, _S.CONFIRMED): Transition(IS_INSTANT, NextStep.PAY),
    (Actor.CUSTOMER, _S.HELD, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.PROVIDER, _S.HELD, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.SYSTEM, _S.HELD, _S.EXPIRED): Transition(HAS_LAPSED),
    (Actor.PROVIDER, _S.REQUESTED, _S.CONFIRMED): Transition(BEFORE_START, NextStep.ACCEPT),
    (Actor.PROVIDER, _S.REQUESTED, _S.DECLINED): Transition(ALWAYS, NextStep.DECLINE),
    (Actor.CUSTOMER, _S.REQUESTED, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.SYSTEM, _S.REQUESTED, _S.EXPIRED): Transition(HAS_LAPSED),
    (Actor.CUSTOMER, _S.CONFIRMED, _S.CANCELLED): Transition(BEFORE_START, NextStep.CANCEL),
    # After the start only the provider and staff can still give the money back.
    (Actor.PROVIDER, _S.CONFIRMED, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.STAFF, _S.HELD, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.STAFF, _S.REQUESTED, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.STAFF, _S.CONFIRMED, _S.CANCELLED): Transition(ALWAYS, NextStep.CANCEL),
    (Actor.CUSTOMER, _S.CONFIRMED, _S.COMPLETED): Transition(AFTER_END, NextStep.COMPLETE),
    (Actor.PROVIDER, _S.CONFIRMED, _S.COMPLETED): Transition(AFTER_END, NextStep.COMPLETE),
    (Actor.SYSTEM, _S.CONFIRMED, _S.COMPLETED): Transition(AFTER_END),
}

# What a side does to a booking to bring it into a status, where it does not pay for it.
_VERBS: Final = {
    _S.HELD: "hold",
    _S.REQUESTED: "request",
    _S.CONFIRMED: "accept",
    _S.COMPLETED: "complete",
    _S.DECLINED: "decline",
    _S.CANCELLED: "cancel",
}

# In these a booking takes the provider's time, until it lapses.
LIVE: Final = (_S.HELD, _S.REQUESTED, _S.CONFIRMED)

# A booking that ended in one of these before it was ever confirmed keeps no money.
ENDED_WITHOUT: Final = frozenset({_S.DECLINED, _S.CANCELLED, _S.EXPIRED})


def require_transition(actor: Actor, *, current: BookingStatus, to: BookingStatus, situation: Situation) -> None:
    """Refuse a transition that is not in the table, or that its guard does not let through.

    Raises:
        StatusConflict, NotYet
    """
    transition = TRANSITIONS.get((actor, current, to))
    if transition is None:
        raise StatusConflict(_explain_refusal(actor, current=current, to=to))
    if not transition.guard.is_met(situation):
        raise transition.guard.refuse(situation)


def _explain_refusal(actor: Actor, *, current: BookingStatus, to: BookingStatus) -> str:
    if current is to:
        return "The booking has already expired." if to is _S.EXPIRED else f"The booking is already {to}."
    state = "has expired" if current is _S.EXPIRED else f"is {current}"
    if to is _S.EXPIRED:
        return f"The booking {state}, so it can't expire."
    if actor is Actor.SYSTEM:
        return f"The booking {state}, so it cannot be {to}."
    is_payment = actor is Actor.CUSTOMER and to in {_S.REQUESTED, _S.CONFIRMED}
    return f"The booking {state}, so the {actor} cannot {'pay for' if is_payment else _VERBS[to]} it."


def next_steps(
    actor: Actor, *, current: BookingStatus, situation: Situation, is_reviewed: bool = False
) -> list[NextStep]:
    """Return what one side may do now, the usual first.

    Args:
        is_reviewed: Whether this side has reviewed the booking, which it does once.
    """
    steps = {
        transition.step: None
        for (side, status, _), transition in TRANSITIONS.items()
        if side is actor and status is current and transition.step is not None and transition.guard.is_met(situation)
    }
    can_review = current is BookingStatus.COMPLETED and actor is not Actor.STAFF and not is_reviewed
    return [*steps, NextStep.REVIEW] if can_review else list(steps)


def follow_payment(
    *, current: BookingStatus, booking_mode: BookingMode, payment: PaymentStatus
) -> tuple[Actor, BookingStatus] | None:
    """Return the transition that a payment calls for: its actor and its target; None when it calls for none.

    Money is only taken for an instant booking, or because the provider has accepted, so a request whose money was
    taken is one that was accepted, even if the acceptance itself died on the way.
    """
    match current, booking_mode, payment:
        case BookingStatus.HELD, BookingMode.REQUEST, PaymentStatus.AUTHORISED:
            return Actor.CUSTOMER, BookingStatus.REQUESTED
        case BookingStatus.HELD, BookingMode.INSTANT, PaymentStatus.CAPTURED:
            return Actor.CUSTOMER, BookingStatus.CONFIRMED
        case BookingStatus.REQUESTED, _, PaymentStatus.CAPTURED:
            return Actor.PROVIDER, BookingStatus.CONFIRMED
        case _:
            return None
