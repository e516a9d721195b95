"""What a page says about the money is true in every state of a booking and its payment, for both sides."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any, Final

import pytest
from jinja2 import Environment

from fairground.contracts.booking import BookingStatus
from fairground.contracts.payments import PaymentStatus
from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.rendering import build_environment

NOW: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
PAID: Final = 26_000
ENDED: Final = (BookingStatus.DECLINED, BookingStatus.CANCELLED, BookingStatus.EXPIRED)
UNPAID: Final = [None, *(status for status in PaymentStatus if status is not PaymentStatus.CAPTURED)]
CAPTURED: Final = PaymentStatus.CAPTURED

State = tuple[BookingStatus, PaymentStatus | None, int, int]
"""Booking, payment, refunded and due to be refunded."""


def reachable() -> list[State]:
    """Return every pair that can be reached, with what was refunded and what is due."""
    states: list[State] = [(BookingStatus.HELD, payment, 0, 0) for payment in [*UNPAID, CAPTURED]]
    states += [(BookingStatus.REQUESTED, payment, 0, 0) for payment in (PaymentStatus.AUTHORISED, CAPTURED)]
    # By hand at the processor money can be given back at any time.
    states += [(status, CAPTURED, back, 0) for status, back in product(_AGREED, (0, 9_000, PAID))]
    states += [(BookingStatus.COMPLETED, None, 0, 0)]  # brought along from elsewhere
    states += [(status, payment, 0, 0) for status, payment in product(ENDED, UNPAID)]
    states += [(status, CAPTURED, back, PAID) for status, back in product(ENDED, (0, 9_000, PAID))]
    states += [(BookingStatus.CANCELLED, CAPTURED, back, due) for back, due in product((0, 9_000, PAID), (0, 13_000))]
    return states


_AGREED: Final = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED)


@pytest.fixture(scope="module")
def env() -> Environment:
    return build_environment(Assets(), verticals=load_verticals())


def booking_in(state: State, *, side: str) -> SimpleNamespace:
    status, payment, refunded_minor, due_minor = state
    captured_minor = PAID if payment is CAPTURED else 0
    return SimpleNamespace(
        status=status,
        side=side,
        provider_name="Ada",
        timezone="Europe/Oslo",
        currency="EUR",
        total_minor=PAID,
        expires_at=NOW + timedelta(minutes=5),
        answer_due_at=NOW + timedelta(days=1),
        next_steps=[],
        reached=[BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.CONFIRMED],
        decline_reason=None,
        refund_due_minor=due_minor,
        payment=payment
        and SimpleNamespace(
            status=payment,
            amount_minor=PAID,
            captured_minor=captured_minor,
            refunded_minor=refunded_minor,
            currency="EUR",
            is_being_released=False,
        ),
    )


def words_of(env: Environment, macro: str, booking: Any) -> str:
    components: Any = env.globals["ui"]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(getattr(components, macro)(booking)))).strip()


@pytest.mark.parametrize("side", ["customer", "provider"])
@pytest.mark.parametrize("macro", ["status_sentence", "money_words"])
def test_words_about_money_are_true_in_every_state(env: Environment, macro: str, side: str) -> None:
    states = reachable()
    assert len(states) > 40
    for state in states:
        words = words_of(env, macro, booking_in(state, side=side))
        _require_truth(words, state, says_all=macro == "money_words")


def _require_truth(words: str, state: State, *, says_all: bool) -> None:
    status, payment, back, due = state
    seen = (state, words)
    has_ended, is_captured = status in ENDED, payment is CAPTURED
    assert "on its way" not in words, seen
    # What is said is true.
    if "othing was charged" in words:
        assert not is_captured, seen
    if "no refund was due" in words:
        assert (has_ended, is_captured, back, due) == (True, True, 0, 0), seen
    if "in progress" in words:
        assert has_ended, seen
        assert back < due, seen
        assert f"the refund of {_euros(due)} is in progress" in words, seen
    if "was refunded" in words:
        assert back > 0, seen
        assert f"{_euros(back)} was refunded" in words, seen
    if "was paid" in words or "agreed and paid" in words:
        assert is_captured, seen
    if "reserved on the card" in words:
        assert payment is PaymentStatus.AUTHORISED, seen
    # What the reader needs to know is said.
    if has_ended or (says_all and status in _AGREED):
        if is_captured:
            assert f"{_euros(PAID)} was paid" in words, seen
            assert ("in progress" in words) == (has_ended and back < due), seen
            assert ("was refunded" in words) == (back > 0 and not (has_ended and back < due)), seen
            assert ("no refund was due" in words) == (has_ended and back == due == 0), seen
        elif has_ended:
            assert "othing was charged" in words, seen


def _euros(amount_minor: int) -> str:
    return f"€{amount_minor / 100:.2f}"


def test_list_shows_no_price_for_a_booking_that_was_never_paid(env: Environment) -> None:
    for status, payment in product(ENDED, UNPAID):
        assert words_of(env, "row_amount", booking_in((status, payment, 0, 0), side="customer")) == ""
    assert words_of(env, "row_amount", booking_in((BookingStatus.HELD, None, 0, 0), side="customer")) == "€260"
    part_back = booking_in((BookingStatus.CANCELLED, CAPTURED, 13_000, 13_000), side="customer")
    assert words_of(env, "row_amount", part_back) == "€260 €130 refunded"


@pytest.mark.parametrize(
    ("is_booked", "words"),
    [(False, "This booking cannot be refunded."), (True, "If you cancel now, nothing is refunded.")],
)
def test_terms_without_a_refund_are_a_whole_sentence(env: Environment, *, is_booked: bool, words: str) -> None:
    components: Any = env.globals["ui"]
    terms = [SimpleNamespace(until=None, refund_percent=0, refund_minor=0)]
    box = str(components.policy_box(terms, "EUR", "Europe/Oslo", is_booked=is_booked))
    shown = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", box, flags=re.DOTALL)).strip()
    assert shown == f"If you cancel {words}"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("insufficient_funds", "not enough money on the card"),
        ("payment_intent_authentication_failure", "not confirmed with the bank"),
        ("expired_card", "has expired"),
        ("card_declined", "was declined"),
        ("unknown", "was declined"),
        (None, "was declined"),
    ],
)
def test_failed_payment_names_its_true_reason(env: Environment, reason: str | None, words: str) -> None:
    components: Any = env.globals["ui"]
    said = str(components.payment_failure(reason))
    assert words in said
    assert ("declined" in said) == (words == "was declined")
    assert "Nothing was charged." in said
