"""What a payment may become, and what is to be done with it next. Pure rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.payments import (
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailedEvent,
    PaymentReleased,
    PaymentStatus,
)
from fairground.kernel.messages import Event

STARTED, REQUIRES_ACTION, AUTHORISED, CAPTURED, VOIDED, FAILED = PaymentStatus
LIVE: Final = (STARTED, REQUIRES_ACTION, AUTHORISED, CAPTURED)
ENDED: Final = (VOIDED, FAILED)

# The processor remembers a key for at least 24 hours; an hour is left for the call itself.
REPLAY_KEY_FOR: Final = timedelta(hours=23)
# Cards hold an authorisation for seven days (docs.stripe.com/payments/place-a-hold-on-a-payment-method).
AUTHORISATION_KEPT_FOR: Final = timedelta(days=6)


class Act(StrEnum):
    """What the processor is asked to do, under one key until its outcome is known."""

    CREATE = "create"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"


class Outcome(StrEnum):
    """What is known of an act."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer came, so it may have happened."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a payment stands at the processor. Amounts are minor units."""

    intent_id: str
    payment_id: UUID | None
    """What we called it when we made it; None when somebody else did."""
    status: PaymentStatus
    captured_minor: int = 0
    action_url: str | None = None
    failure_code: str | None = None


def advance(now: PaymentStatus, seen: PaymentStatus) -> PaymentStatus:
    """Return the status after the processor was seen in `seen`.

    Answers may arrive late and in any order, so a payment never goes back, and one that has ended stays ended.
    """
    if now in ENDED or now is CAPTURED:
        return now
    if seen in ENDED:
        return seen
    return seen if LIVE.index(seen) > LIVE.index(now) else now


def is_left_behind(now: PaymentStatus, seen: PaymentStatus) -> bool:
    """Whether the processor holds or has taken money for a payment that has ended here."""
    return now in ENDED and seen in LIVE and seen is not STARTED


def next_act(status: PaymentStatus, *, wants_release: bool, left_minor: int) -> Act | None:
    """Return what is still to be done for a payment that shall be given back, or None."""
    if not wants_release:
        return None
    if status in {REQUIRES_ACTION, AUTHORISED}:
        return Act.CANCEL
    return Act.REFUND if status is CAPTURED and left_minor > 0 else None


def events_between(before: Payment, after: Payment) -> Iterable[Event]:
    """Tell what happened between two states of a payment, in order, whatever was skipped between them."""
    about = {"payment_id": after.id, "reference_id": after.reference_id}
    entered = after.status if after.status is not before.status else None
    if before.status in {STARTED, REQUIRES_ACTION} and entered in {AUTHORISED, CAPTURED}:
        yield PaymentAuthorised(amount_minor=after.amount_minor, currency=after.currency, **about)
    if entered is CAPTURED:
        yield PaymentCaptured(captured_minor=after.captured_minor, currency=after.currency, **about)
    if entered is FAILED:
        yield PaymentFailedEvent(reason=after.failure_code or "unknown", **about)
    if entered is VOIDED or after.refunded_minor > before.refunded_minor:
        yield PaymentReleased(refunded_minor=after.refunded_minor, **about)
