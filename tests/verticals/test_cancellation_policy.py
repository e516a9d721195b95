"""What a cancellation refunds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairground.verticals.cancellation_policy import CancellationPolicy, RefundStep, Term

AMOUNTS = st.integers(min_value=0, max_value=10**12)
NOTICES = st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=400))


@st.composite
def policies(draw: st.DrawFn) -> CancellationPolicy:
    count = draw(st.integers(0, 5))
    hours = draw(st.lists(st.integers(0, 8760), min_size=count, max_size=count, unique=True))
    percents = draw(st.lists(st.integers(0, 100), min_size=count, max_size=count, unique=True))
    pairs = zip(sorted(hours, reverse=True), sorted(percents, reverse=True), strict=True)
    return CancellationPolicy(steps=tuple(RefundStep(at_least_hours=h, refund_percent=p) for h, p in pairs))


ARTISTS = CancellationPolicy.model_validate(
    {"steps": [{"at_least_hours": 168, "refund_percent": 100}, {"at_least_hours": 48, "refund_percent": 50}]}
)


@pytest.mark.parametrize(
    ("before_start", "refund_minor"),
    [
        (timedelta(days=30), 10_001),
        (timedelta(hours=168), 10_001),
        (timedelta(hours=168) - timedelta(microseconds=1), 5_000),
        (timedelta(hours=48), 5_000),
        (timedelta(hours=47, minutes=59), 0),
        (timedelta(hours=-1), 0),
    ],
)
def test_a_step_counts_from_its_exact_hour(before_start: timedelta, refund_minor: int) -> None:
    assert ARTISTS.refund_minor(10_001, before_start=before_start) == refund_minor


@given(policy=policies(), amount_minor=AMOUNTS, before_start=NOTICES)
def test_a_refund_is_never_negative_and_never_more_than_was_paid(
    policy: CancellationPolicy, amount_minor: int, before_start: timedelta
) -> None:
    assert 0 <= policy.refund_minor(amount_minor, before_start=before_start) <= amount_minor


@given(policy=policies(), amount_minor=AMOUNTS, one=NOTICES, other=NOTICES)
def test_cancelling_later_never_refunds_more(
    policy: CancellationPolicy, amount_minor: int, one: timedelta, other: timedelta
) -> None:
    early, late = max(one, other), min(one, other)
    refunded_late = policy.refund_minor(amount_minor, before_start=late)
    assert refunded_late <= policy.refund_minor(amount_minor, before_start=early)


@pytest.mark.parametrize(
    "steps",
    [
        [{"at_least_hours": 24, "refund_percent": 50}, {"at_least_hours": 48, "refund_percent": 20}],
        [{"at_least_hours": 48, "refund_percent": 50}, {"at_least_hours": 24, "refund_percent": 50}],
        [{"at_least_hours": 48, "refund_percent": 101}],
    ],
)
def test_steps_that_reward_waiting_are_refused(steps: list[dict[str, int]]) -> None:
    with pytest.raises(ValidationError):
        CancellationPolicy.model_validate({"steps": steps})


STARTS_AT = datetime(2026, 12, 10, 18, 0, tzinfo=UTC)
NOTHING = Term(until=None, refund_percent=0, refund_minor=0)


def terms_of(policy: CancellationPolicy, total_minor: int, *, days_before: float, step_minor: int = 1) -> list[Term]:
    now = STARTS_AT - timedelta(days=days_before)
    return policy.terms(total_minor, step_minor=step_minor, starts_at=STARTS_AT, now=now)


def test_policy_becomes_dates_and_amounts() -> None:
    assert terms_of(ARTISTS, 9_999, days_before=20) == [
        Term(until=STARTS_AT - timedelta(days=7), refund_percent=100, refund_minor=9_999),
        Term(until=STARTS_AT - timedelta(days=2), refund_percent=50, refund_minor=4_999),
        NOTHING,
    ]


def test_terms_that_are_over_are_left_out() -> None:
    assert [term.refund_percent for term in terms_of(ARTISTS, 9_999, days_before=3)] == [50, 0]
    assert terms_of(ARTISTS, 9_999, days_before=1) == [NOTHING]


def test_terms_without_a_refund_are_one_term() -> None:
    nothing_early = CancellationPolicy(steps=(RefundStep(at_least_hours=24, refund_percent=0),))
    assert terms_of(nothing_early, 9_999, days_before=20) == [NOTHING]
    assert terms_of(CancellationPolicy(steps=()), 9_999, days_before=20) == [NOTHING]
    assert [term.refund_percent for term in terms_of(ARTISTS, 1, days_before=20)] == [100, 0]  # half a cent is nothing


@given(policy=policies(), total_minor=AMOUNTS, step_minor=st.sampled_from([1, 10, 100]))
def test_amounts_of_the_terms_are_those_that_cancelling_refunds(
    policy: CancellationPolicy, total_minor: int, step_minor: int
) -> None:
    for term in terms_of(policy, total_minor, days_before=400, step_minor=step_minor):
        before_start = STARTS_AT - (term.until or STARTS_AT + timedelta(hours=1))
        if term.until is not None:
            refund_minor = policy.refund_minor(total_minor, before_start=before_start, step_minor=step_minor)
            assert term.refund_minor == refund_minor
            assert refund_minor % step_minor == 0
