"""The places of booking, paying and accepting at which `test_kill_nine` kills the server."""

from typing import Final

from tests.support.server_process import FailPoint

_BOOKING: Final = "fairground.modules.booking"
_BOOKINGS: Final = f"{_BOOKING}.deals.store"
_HOLDS: Final = f"{_BOOKING}.deals.holds"
_CHECKOUT: Final = f"{_BOOKING}.deals.checkout"
_DECISIONS: Final = f"{_BOOKING}.deals.decisions"
_TRANSITIONS: Final = f"{_BOOKING}.deals.transitions"
_INTENTS: Final = "fairground.modules.payments.service.intents"
_EXECUTOR: Final = "fairground.modules.payments.service.operation_executor"
_STRIPE: Final = "fairground.modules.payments.gateways.stripe"

POINTS: Final = (
    FailPoint("the time is claimed, nothing committed", f"{_BOOKING}.time.store.allocations", "claim_time", "after"),
    FailPoint("the booking is written, nothing committed", _BOOKINGS, "insert_booking", "after"),
    FailPoint("the hold is committed, not answered", _HOLDS, "Holds.hold", "after"),
    FailPoint("the hold is prolonged, no payment written", _INTENTS, "Intents.authorise", "before"),
    FailPoint("the payment is written, the processor not asked", _STRIPE, "StripeProcessor.create", "before"),
    FailPoint("the processor authorised, we do not know it", _STRIPE, "StripeProcessor.create", "after"),
    FailPoint("the authorisation is about to be written", _EXECUTOR, "OperationExecutor._store_snapshot", "before"),
    FailPoint("the payment is authorised, the booking held", _INTENTS, "Intents.authorise", "after"),
    FailPoint("the request is written, not committed", _TRANSITIONS, "Transitions.apply", "after"),
    FailPoint("the request is committed, not answered", _CHECKOUT, "Checkout.pay", "after"),
    FailPoint("the request is accepted, no capture written", _INTENTS, "Intents.capture", "before"),
    FailPoint("the capture is written, the processor not asked", _STRIPE, "StripeProcessor.capture", "before"),
    FailPoint("the processor captured, we do not know it", _STRIPE, "StripeProcessor.capture", "after"),
    FailPoint("the capture is about to be written", _EXECUTOR, "OperationExecutor._store_snapshot", "before", nth=2),
    FailPoint("the money is captured, the booking requested", _INTENTS, "Intents.capture", "after"),
    FailPoint("the confirmation is written, not committed", _TRANSITIONS, "Transitions.apply", "after", nth=2),
    FailPoint("the confirmation is committed, not answered", _DECISIONS, "RequestDecisions.accept", "after"),
)
