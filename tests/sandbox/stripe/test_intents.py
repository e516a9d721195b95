"""The life cycle as rules that hold for every sequence of calls."""

from typing import Final, Literal

from hypothesis import given
from hypothesis import strategies as st

from fairground.sandbox.stripe import cards, intents
from fairground.sandbox.stripe.intents import Intent, Status
from fairground.sandbox.stripe.protocol import StripeError

# From where each status may be reached in one call, by docs.stripe.com/payments/paymentintents/lifecycle.
REACHED_FROM: Final = {
    Status.REQUIRES_PAYMENT_METHOD: {Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION},
    Status.REQUIRES_ACTION: {Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION},
    Status.REQUIRES_CAPTURE: {Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION},
    Status.SUCCEEDED: {Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION, Status.REQUIRES_CAPTURE},
    Status.CANCELED: set(intents.CANCELLABLE),
}

calls = st.one_of(
    st.just(("confirm", 0)),
    st.just(("cancel", 0)),
    st.sampled_from([("authenticate", 0), ("authenticate", 1)]),
    st.tuples(st.just("capture"), st.integers(1, 1_500)),
)


def apply(intent: Intent, name: str, number: int) -> Intent:
    match name:
        case "confirm":
            return intents.confirm(intent, charge="ch_1")
        case "cancel":
            return intents.cancel(intent, now=2, reason=None)
        case "authenticate":
            return intents.authenticate(intent, passed=bool(number), charge="ch_1")
        case _:
            return intents.capture(intent, amount_to_capture=number)


@given(
    card=st.sampled_from(sorted(cards.CARDS)),
    capture_method=st.sampled_from(["manual", "automatic"]),
    sequence=st.lists(calls, max_size=8),
)
def test_no_sequence_of_calls_leaves_the_life_cycle_or_the_amount(
    card: str, capture_method: Literal["manual", "automatic"], sequence: list[tuple[str, int]]
) -> None:
    intent = Intent(
        id="pi_1",
        client_secret="s",
        authentication_url="http://shop.test/1",
        created=1,
        amount=1_000,
        currency="eur",
        capture_method=capture_method,
        status=Status.REQUIRES_CONFIRMATION,
        payment_method=card,
        return_url="http://shop.test/",
    )
    for name, number in sequence:
        before = intent
        try:
            intent = apply(intent, name, number)
        except StripeError:
            continue
        assert intent == before or before.status in REACHED_FROM[intent.status]
        assert 0 <= intent.amount_received <= intent.amount
        assert intent.amount_received == 0 or intent.amount_capturable == 0
        assert (intent.amount_received > 0) == (intent.status is Status.SUCCEEDED)
        if capture_method == "automatic":
            assert intent.status is not Status.REQUIRES_CAPTURE
