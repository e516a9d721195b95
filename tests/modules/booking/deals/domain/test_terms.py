"""Deadlines, and what cancelling gives back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.booking import BookingStatus, CancellationPreview, RefundTerm
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.terms import answer_due, preview_cancellation, prolong_hold
from fairground.verticals.cancellation import CancellationPolicy, RefundStep

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = CancellationPolicy(
    steps=(RefundStep(at_least_hours=48, refund_percent=100), RefundStep(at_least_hours=24, refund_percent=50))
)
STARTS_AT = datetime(2026, 12, 10, 18, tzinfo=UTC)
STEPPED = CancellationPolicy(
    steps=(RefundStep(at_least_hours=96, refund_percent=100), RefundStep(at_least_hours=24, refund_percent=50))
)
WHOLE = RefundTerm(until=STARTS_AT - timedelta(hours=96), refund_percent=100, refund_minor=15901)
HALF = RefundTerm(until=STARTS_AT - timedelta(hours=24), refund_percent=50, refund_minor=7950)
NOTHING = RefundTerm(until=None, refund_percent=0, refund_minor=0)


def preview(
    *,
    hours: float,
    actor: Actor = Actor.CUSTOMER,
    status: BookingStatus = BookingStatus.CONFIRMED,
    total_minor: int = 999,
    policy: CancellationPolicy = POLICY,
) -> CancellationPreview:
    starts_at = NOW + timedelta(hours=hours)
    return preview_cancellation(
        actor,
        status=status,
        policy=policy,
        total_minor=total_minor,
        currency="EUR",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        now=NOW,
    )


@pytest.mark.parametrize(("hours", "refund_minor"), [(49, 999), (48, 999), (47.9, 499), (24, 499), (23.9, 0), (-1, 0)])
def test_a_customer_gets_back_what_the_policy_says(hours: float, refund_minor: int) -> None:
    assert preview(hours=hours).refund_minor == refund_minor


def test_free_until_is_shown_while_it_lies_ahead() -> None:
    assert preview(hours=50).free_until == NOW + timedelta(hours=2)
    assert preview(hours=47).free_until is None
    assert preview(hours=1000, policy=CancellationPolicy(steps=())).free_until is None


def test_a_provider_always_gives_back_everything() -> None:
    assert preview(hours=-0.5, actor=Actor.PROVIDER).refund_minor == 999


@pytest.mark.parametrize("status", [BookingStatus.HELD, BookingStatus.REQUESTED])
def test_what_was_never_taken_is_not_given_back(status: BookingStatus) -> None:
    shown = preview(hours=1, status=status)
    assert (shown.refund_minor, shown.keep_minor) == (0, 0)


@given(total_minor=st.integers(0, 10**12), hours=st.floats(-100, 1000))
def test_no_minor_unit_is_lost_between_what_is_given_back_and_kept(total_minor: int, hours: float) -> None:
    shown = preview(hours=hours, total_minor=total_minor)
    assert shown.refund_minor + shown.keep_minor == total_minor
    assert min(shown.refund_minor, shown.keep_minor) >= 0


@pytest.mark.parametrize(
    ("hours", "starts_in_hours", "due_in_hours"), [(24, 100, 24), (24, 3, 3), (120, 1000, 120), (200, 1000, 120)]
)
def test_an_answer_is_due_before_the_start_and_within_five_days(
    hours: int, starts_in_hours: int, due_in_hours: int
) -> None:
    due_at = answer_due(hours=hours, starts_at=NOW + timedelta(hours=starts_in_hours), now=NOW)
    assert due_at == NOW + timedelta(hours=due_in_hours)


@pytest.mark.parametrize(
    ("held_minutes", "lapses_in_minutes", "stays_minutes"),
    [(1, 9, 9), (9, 1, 2), (11, -1, 2), (29, 1, 1), (29, -5, 1), (30, 1, None), (45, -15, None)],
)
def test_a_hold_that_is_paid_for_stays_two_minutes_and_at_most_thirty(
    held_minutes: int, lapses_in_minutes: int, stays_minutes: int | None
) -> None:
    until = prolong_hold(
        lapses_at=NOW + timedelta(minutes=lapses_in_minutes),
        held_since=NOW - timedelta(minutes=held_minutes),
        now=NOW,
    )
    assert until == (None if stays_minutes is None else NOW + timedelta(minutes=stays_minutes))


@pytest.mark.parametrize(("hours_before", "refund_minor"), [(200, 12_350), (95, 6_170), (23, 0)])
def test_refund_in_dinars_is_one_that_the_card_processor_can_give_back(hours_before: int, refund_minor: int) -> None:
    preview = preview_cancellation(
        Actor.CUSTOMER,
        status=BookingStatus.CONFIRMED,
        policy=STEPPED,
        total_minor=12_350,
        currency="BHD",
        starts_at=STARTS_AT,
        ends_at=STARTS_AT + timedelta(hours=1),
        now=STARTS_AT - timedelta(hours=hours_before),
    )
    assert (preview.refund_minor, preview.keep_minor) == (refund_minor, 12_350 - refund_minor)
    assert all(term.refund_minor % 10 == 0 for term in preview.terms)
