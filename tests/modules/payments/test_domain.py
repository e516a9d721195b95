"""The rules without a database."""

from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.payments import PaymentStatus
from fairground.modules.payments.domain import ENDED, LIVE, Act, advance, is_left_behind, next_act

statuses = st.sampled_from(list(PaymentStatus))


@given(now=statuses, seen=st.lists(statuses, max_size=6))
def test_payment_never_goes_back_whatever_is_seen(now: PaymentStatus, seen: list[PaymentStatus]) -> None:
    for sight in seen:
        after = advance(now, sight)
        assert after in {now, sight}
        if now in ENDED or now is PaymentStatus.CAPTURED:
            assert after is now
        elif after in LIVE:
            assert LIVE.index(after) >= LIVE.index(now)
        now = after


@given(now=statuses, seen=st.lists(statuses, min_size=1, max_size=6))
def test_seeing_the_same_again_changes_nothing(now: PaymentStatus, seen: list[PaymentStatus]) -> None:
    for sight in seen:
        now = advance(now, sight)
    assert advance(now, seen[-1]) is now or seen[-1] not in ENDED


@given(now=statuses, seen=statuses)
def test_money_of_an_ended_payment_is_noticed(now: PaymentStatus, seen: PaymentStatus) -> None:
    holds_money = seen in {PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}
    assert is_left_behind(now, seen) == (now in ENDED and holds_money)


def test_release_cancels_what_is_reserved_and_refunds_what_is_taken() -> None:
    acts = {status: next_act(status, wants_release=True, left_minor=5) for status in PaymentStatus}
    assert {status: act for status, act in acts.items() if act} == {
        PaymentStatus.REQUIRES_ACTION: Act.CANCEL,
        PaymentStatus.AUTHORISED: Act.CANCEL,
        PaymentStatus.CAPTURED: Act.REFUND,
    }
    assert next_act(PaymentStatus.CAPTURED, wants_release=True, left_minor=0) is None
    assert all(next_act(status, wants_release=False, left_minor=5) is None for status in PaymentStatus)
