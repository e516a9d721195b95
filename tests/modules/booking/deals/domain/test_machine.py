"""The table of transitions, read as a table."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from fairground.contracts.booking import BookingStatus, NextStep, NotYet, StatusConflict
from fairground.contracts.payments import PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.errors import Conflict
from fairground.modules.booking.deals.domain.machine import (
    TRANSITIONS,
    Actor,
    Situation,
    follow_payment,
    next_steps,
    require_transition,
)

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALLOWED = {
    BookingStatus.HELD: {"requested", "confirmed", "cancelled", "expired"},
    BookingStatus.REQUESTED: {"confirmed", "declined", "cancelled", "expired"},
    BookingStatus.CONFIRMED: {"cancelled", "completed"},
}


def at(hours: float, *, mode: BookingMode = BookingMode.REQUEST, lapses_hours: float | None = None) -> Situation:
    """Describe a booking of one hour, so long after its start."""
    return Situation(
        booking_mode=mode,
        starts_at=START,
        ends_at=START + timedelta(hours=1),
        lapses_at=None if lapses_hours is None else START + timedelta(hours=lapses_hours),
        now=START + timedelta(hours=hours),
    )


def test_table_holds_the_transitions_of_the_specification_and_no_others() -> None:
    reached = {status: {str(to) for _, current, to in TRANSITIONS if current is status} for status in BookingStatus}
    assert {status: targets for status, targets in reached.items() if targets} == ALLOWED


@pytest.mark.parametrize(
    ("actor", "current", "to"), sorted(set(product(Actor, BookingStatus, BookingStatus)) - set(TRANSITIONS))
)
def test_what_the_table_does_not_hold_is_refused(actor: Actor, current: BookingStatus, to: BookingStatus) -> None:
    with pytest.raises(StatusConflict):
        require_transition(actor, current=current, to=to, situation=at(-1, lapses_hours=-2))


@pytest.mark.parametrize(
    ("actor", "current", "to", "said"),
    [
        (Actor.PROVIDER, "confirmed", "confirmed", "The booking is already confirmed."),
        (Actor.CUSTOMER, "cancelled", "cancelled", "The booking is already cancelled."),
        (Actor.SYSTEM, "expired", "expired", "The booking has already expired."),
        (Actor.PROVIDER, "confirmed", "declined", "The booking is confirmed, so the provider cannot decline it."),
        (Actor.PROVIDER, "expired", "confirmed", "The booking has expired, so the provider cannot accept it."),
        (Actor.CUSTOMER, "cancelled", "confirmed", "The booking is cancelled, so the customer cannot pay for it."),
        (Actor.CUSTOMER, "expired", "requested", "The booking has expired, so the customer cannot pay for it."),
        (Actor.CUSTOMER, "completed", "cancelled", "The booking is completed, so the customer cannot cancel it."),
        (Actor.PROVIDER, "held", "completed", "The booking is held, so the provider cannot complete it."),
        (Actor.SYSTEM, "confirmed", "expired", "The booking is confirmed, so it cannot expire."),
        (Actor.SYSTEM, "declined", "completed", "The booking is declined, so it cannot be completed."),
    ],
)
def test_refused_transition_is_said_in_a_plain_sentence(actor: Actor, current: str, to: str, said: str) -> None:
    with pytest.raises(StatusConflict) as refused:
        require_transition(actor, current=BookingStatus(current), to=BookingStatus(to), situation=at(-1))
    assert refused.value.detail == said


@pytest.mark.parametrize(
    ("actor", "current", "to", "situation", "error"),
    [
        (Actor.CUSTOMER, "held", "confirmed", at(-9, mode=BookingMode.REQUEST), StatusConflict),
        (Actor.CUSTOMER, "held", "requested", at(-9, mode=BookingMode.INSTANT), StatusConflict),
        (Actor.SYSTEM, "held", "expired", at(-9, lapses_hours=-8), NotYet),
        (Actor.SYSTEM, "requested", "expired", at(-9, lapses_hours=-8), NotYet),
        (Actor.PROVIDER, "requested", "confirmed", at(0), StatusConflict),
        (Actor.CUSTOMER, "confirmed", "cancelled", at(0), StatusConflict),
        (Actor.CUSTOMER, "confirmed", "completed", at(0.9), NotYet),
        (Actor.PROVIDER, "confirmed", "completed", at(0.9), NotYet),
        (Actor.SYSTEM, "confirmed", "completed", at(0.9), NotYet),
    ],
)
def test_a_guard_holds_a_move_back(
    actor: Actor, current: str, to: str, situation: Situation, error: type[Conflict]
) -> None:
    with pytest.raises(error):
        require_transition(actor, current=BookingStatus(current), to=BookingStatus(to), situation=situation)


def test_what_is_shown_as_a_next_step_is_what_the_table_lets_through() -> None:
    customer, provider = Actor.CUSTOMER, Actor.PROVIDER
    assert next_steps(customer, current=BookingStatus.HELD, situation=at(-9)) == [NextStep.PAY, NextStep.CANCEL]
    assert next_steps(provider, current=BookingStatus.REQUESTED, situation=at(0)) == [NextStep.DECLINE]
    assert next_steps(customer, current=BookingStatus.CONFIRMED, situation=at(2)) == [NextStep.COMPLETE]
    assert next_steps(provider, current=BookingStatus.COMPLETED, situation=at(2)) == [NextStep.REVIEW]
    for ended in (BookingStatus.DECLINED, BookingStatus.CANCELLED, BookingStatus.EXPIRED):
        assert next_steps(customer, current=ended, situation=at(-9)) == []


def test_payment_changes_a_booking_only_along_the_table() -> None:
    for current, mode, payment in product(BookingStatus, BookingMode, PaymentStatus):
        following = follow_payment(current=current, booking_mode=mode, payment=payment)
        if following is not None:
            actor, to = following
            require_transition(actor, current=current, to=to, situation=at(-9, mode=mode))
