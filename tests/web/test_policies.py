from datetime import UTC, datetime, timedelta

from fairground.verticals.cancellation import CancellationPolicy, RefundStep
from fairground.web.policies import Term, terms_of

POLICY = CancellationPolicy(
    steps=(RefundStep(at_least_hours=168, refund_percent=100), RefundStep(at_least_hours=48, refund_percent=50))
)
STARTS_AT = datetime(2026, 12, 10, 18, 0, tzinfo=UTC)
NEVER_BACK = Term(until=None, refund_percent=0, refund_minor=0)


def test_the_rule_becomes_dates_and_amounts() -> None:
    terms = terms_of(POLICY, starts_at=STARTS_AT, total_minor=9999, now=STARTS_AT - timedelta(days=20))
    assert terms == [
        Term(until=STARTS_AT - timedelta(days=7), refund_percent=100, refund_minor=9999),
        Term(until=STARTS_AT - timedelta(days=2), refund_percent=50, refund_minor=4999),
        NEVER_BACK,
    ]


def test_terms_that_are_over_are_not_offered() -> None:
    terms = terms_of(POLICY, starts_at=STARTS_AT, total_minor=9999, now=STARTS_AT - timedelta(days=3))
    assert [term.refund_percent for term in terms] == [50, 0]
    assert terms_of(POLICY, starts_at=STARTS_AT, total_minor=1, now=STARTS_AT) == [NEVER_BACK]


def test_the_amounts_are_those_that_cancelling_will_refund() -> None:
    now = STARTS_AT - timedelta(days=20)
    terms = terms_of(POLICY, starts_at=STARTS_AT, total_minor=9999, now=now)
    assert len(terms) == len(POLICY.steps) + 1
    for term in terms:
        before = STARTS_AT - (term.until or STARTS_AT)
        assert term.refund_minor == POLICY.refund_minor(9999, before_start=before)
