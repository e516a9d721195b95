"""What a cancellation refunds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairground.verticals.cancellation_policy import CancellationPolicy, RefundStep, Term

AMOUNTS = st.integers(min_value=0, max_value=10**12)
STARTS_AT = datetime(2026, 12, 10, 18, 0, tzinfo=UTC)
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


def refund(policy: CancellationPolicy, amount_minor: int, *, before_start: timedelta, step_minor: int = 1) -> int:
    return policy.refund_minor(amount_minor, starts_at=STARTS_AT, now=STARTS_AT - before_start, step_minor=step_minor)


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
    assert refund(ARTISTS, 10_001, before_start=before_start) == refund_minor


@given(policy=policies(), amount_minor=AMOUNTS, before_start=NOTICES)
def test_a_refund_is_never_negative_and_never_more_than_was_paid(
    policy: CancellationPolicy, amount_minor: int, before_start: timedelta
) -> None:
    assert 0 <= refund(policy, amount_minor, before_start=before_start) <= amount_minor


@given(policy=policies(), amount_minor=AMOUNTS, one=NOTICES, other=NOTICES)
def test_cancelling_later_never_refunds_more(
    policy: CancellationPolicy, amount_minor: int, one: timedelta, other: timedelta
) -> None:
    early, late = max(one, other), min(one, other)
    refunded_late = refund(policy, amount_minor, before_start=late)
    assert refunded_late <= refund(policy, amount_minor, before_start=early)


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
            refund_minor = refund(policy, total_minor, before_start=before_start, step_minor=step_minor)
            assert term.refund_minor == refund_minor
            assert refund_minor % step_minor == 0


GRACEFUL = ARTISTS.model_copy(update={"grace_minutes": 60, "grace_min_hours_ahead": 24})


@pytest.mark.parametrize(
    ("confirmed_before", "minutes_later", "refund_minor"),
    [
        (timedelta(hours=30), 0, 10_001),
        (timedelta(hours=30), 60, 10_001),
        (timedelta(hours=30), 61, 0),
        (timedelta(hours=60), 61, 5_000),
        (timedelta(hours=24, minutes=20), 20, 10_001),
        (timedelta(hours=24, minutes=20), 21, 0),
        (timedelta(hours=23), 1, 0),
    ],
)
def test_everything_goes_back_within_the_grace_period_while_the_start_is_far_enough_away(
    confirmed_before: timedelta, minutes_later: int, refund_minor: int
) -> None:
    confirmed_at = STARTS_AT - confirmed_before
    now = confirmed_at + timedelta(minutes=minutes_later)
    refunded = GRACEFUL.refund_minor(10_001, starts_at=STARTS_AT, now=now, confirmed_at=confirmed_at)
    assert refunded == refund_minor


def test_grace_period_is_the_first_term_and_says_until_when() -> None:
    confirmed_at = STARTS_AT - timedelta(hours=60)
    terms = GRACEFUL.terms(9_999, step_minor=1, starts_at=STARTS_AT, now=confirmed_at, confirmed_at=confirmed_at)
    assert terms == [
        Term(until=confirmed_at + timedelta(hours=1), refund_percent=100, refund_minor=9_999, is_grace=True),
        Term(until=STARTS_AT - timedelta(days=2), refund_percent=50, refund_minor=4_999),
        NOTHING,
    ]


def test_grace_period_is_no_term_of_its_own_where_cancelling_is_free_for_longer() -> None:
    confirmed_at = STARTS_AT - timedelta(days=20)
    terms = GRACEFUL.terms(9_999, step_minor=1, starts_at=STARTS_AT, now=confirmed_at, confirmed_at=confirmed_at)
    assert [term.is_grace for term in terms] == [False, False, False]
    assert GRACEFUL.grace_minutes_ahead(starts_at=STARTS_AT, now=confirmed_at) == 0


@pytest.mark.parametrize(("hours_before", "minutes"), [(60, 60), (24.5, 30), (24, 0), (3, 0)])
def test_minutes_of_grace_ahead_end_where_the_start_comes_too_near(hours_before: float, minutes: int) -> None:
    now = STARTS_AT - timedelta(hours=hours_before)
    assert GRACEFUL.grace_minutes_ahead(starts_at=STARTS_AT, now=now) == minutes


@st.composite
def graceful_policies(draw: st.DrawFn) -> CancellationPolicy:
    grace = {"grace_minutes": draw(st.integers(0, 1440)), "grace_min_hours_ahead": draw(st.integers(0, 100))}
    return draw(policies()).model_copy(update=grace)


@given(
    policy=graceful_policies(),
    total_minor=AMOUNTS,
    confirmed_before=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    passed=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)),
    step_minor=st.sampled_from([1, 10, 100]),
)
def test_first_term_ahead_is_what_cancelling_now_refunds(
    policy: CancellationPolicy, total_minor: int, *, confirmed_before: timedelta, passed: timedelta, step_minor: int
) -> None:
    confirmed_at = STARTS_AT - confirmed_before
    now = confirmed_at + passed

    def terms_at(moment: datetime) -> list[Term]:
        return policy.terms(
            total_minor, step_minor=step_minor, starts_at=STARTS_AT, now=moment, confirmed_at=confirmed_at
        )

    refund_minor = policy.refund_minor(
        total_minor, starts_at=STARTS_AT, now=now, confirmed_at=confirmed_at, step_minor=step_minor
    )
    # At its last instant a term still holds, and is no longer ahead.
    just_before = terms_at(now - timedelta(microseconds=1))
    assert refund_minor in {terms_at(now)[0].refund_minor, just_before[0].refund_minor}
    untils = [term.until for term in terms_at(now) if term.until is not None]
    assert untils == sorted(untils)
