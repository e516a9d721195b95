"""The rules without a database."""

from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.payments import PaymentStatus
from fairground.modules.payments.domain import ENDED, LIVE, OperationKind, advance, is_orphaned, next_operation

statuses = st.sampled_from(list(PaymentStatus))


@given(now=statuses, seen=st.lists(statuses, max_size=6))
def test_payment_never_goes_back(now: PaymentStatus, seen: list[PaymentStatus]) -> None:
    for sight in seen:
        after = advance(now, sight)
        assert after in {now, sight}
        if now in ENDED or now is PaymentStatus.CAPTURED:
            assert after is now
        elif after in LIVE:
            assert LIVE.index(after) >= LIVE.index(now)
        now = after


@given(now=statuses, seen=st.lists(statuses, min_size=1, max_size=6))
def test_repeated_snapshot_changes_nothing(now: PaymentStatus, seen: list[PaymentStatus]) -> None:
    for sight in seen:
        now = advance(now, sight)
    assert advance(now, seen[-1]) is now or seen[-1] not in ENDED


@given(now=statuses, seen=statuses)
def test_intent_with_money_of_an_ended_payment_is_orphaned(now: PaymentStatus, seen: PaymentStatus) -> None:
    holds_money = seen in {PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}
    assert is_orphaned(now, seen) == (now in ENDED and holds_money)


def test_release_cancels_what_is_reserved_and_refunds_what_is_taken() -> None:
    kinds = {status: next_operation(status, wants_release=True, left_minor=5) for status in PaymentStatus}
    assert {status: kind for status, kind in kinds.items() if kind} == {
        PaymentStatus.REQUIRES_ACTION: OperationKind.CANCEL,
        PaymentStatus.AUTHORISED: OperationKind.CANCEL,
        PaymentStatus.CAPTURED: OperationKind.REFUND,
    }
    assert next_operation(PaymentStatus.CAPTURED, wants_release=True, left_minor=0) is None
    assert all(next_operation(status, wants_release=False, left_minor=5) is None for status in PaymentStatus)
