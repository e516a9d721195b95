"""What a cancellation refunds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairground.verticals.cancellation import CancellationPolicy, RefundStep

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
