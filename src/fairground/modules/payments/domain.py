"""Payments and the operations on them: what each may become, and what follows next. Pure rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.payments import (
    AmountNotChargeable,
    PaidCard,
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailedEvent,
    PaymentNotFound,
    PaymentReleased,
    PaymentStatus,
)
from fairground.kernel.messages import Event
from fairground.kernel.money import AmountInvalid, require_step

STARTED, REQUIRES_ACTION, AUTHORISED, CAPTURED, VOIDED, FAILED = PaymentStatus
LIVE: Final = (STARTED, REQUIRES_ACTION, AUTHORISED, CAPTURED)
ENDED: Final = (VOIDED, FAILED)

# The processor remembers a key for at least 24 hours; an hour is left for the call itself.
REPLAY_KEY_FOR: Final = timedelta(hours=23)
# Cards hold an authorisation for seven days (docs.stripe.com/payments/place-a-hold-on-a-payment-method).
AUTHORISATION_KEPT_FOR: Final = timedelta(days=6)


class OperationKind(StrEnum):
    CREATE = "create"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"


class Outcome(StrEnum):
    """What is known of an operation."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer came, so it may have happened."""


class RefundStatus(StrEnum):
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class ProcessorRefund:
    """A refund that went through at the processor."""

    processor_refund_id: str
    refund_id: UUID | None
    """Our id of it; None when it was made at the processor."""
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class IntentSnapshot:
    """What the processor said of an intent. Amounts are minor units."""

    intent_id: str
    payment_id: UUID | None
    """Our id of it; None when it was made at the processor."""
    status: PaymentStatus
    captured_minor: int = 0
    action_url: str | None = None
    failure_code: str | None = None
    card: PaidCard | None = None
    """Known where the intent was read, and not where an operation has just changed it."""
    refunds: Sequence[ProcessorRefund] = ()


@dataclass(frozen=True, kw_only=True)
class NewPayment:
    """A payment before anything is stored of it."""

    reference_id: UUID
    payer_id: UUID
    amount_minor: int
    currency: str
    payment_method: str
    return_url: str

    def start(self, *, payment_id: UUID, key: UUID, now: datetime) -> "PaymentRecord":
        """Return the payment with its creation open under `key`."""
        return PaymentRecord(
            id=payment_id,
            reference_id=self.reference_id,
            status=STARTED,
            amount_minor=self.amount_minor,
            captured_minor=0,
            refunding_minor=0,
            refunded_minor=0,
            currency=self.currency,
            payment_method=self.payment_method,
            return_url=self.return_url,
            intent_id=None,
            action_url=None,
            failure_code=None,
            wants_release=False,
            open_kind=OperationKind.CREATE,
            open_key=key,
            is_key_expired=False,
            created_at=now,
            captured_at=None,
            card=None,
        )


@dataclass(frozen=True, kw_only=True)
class PaymentRecord:
    """A payment as its row holds it. Amounts are minor units of `currency`."""

    id: UUID
    reference_id: UUID
    status: PaymentStatus
    amount_minor: int
    captured_minor: int
    refunding_minor: int
    """Reserved for refunds whose outcome is unknown: not 0 if and only if there is such a refund."""
    refunded_minor: int
    currency: str
    payment_method: str
    return_url: str
    intent_id: str | None
    action_url: str | None
    failure_code: str | None
    wants_release: bool
    """Everything shall be given back, as soon as it is known how much that is."""
    open_kind: OperationKind | None
    """The operation whose outcome is unknown; refunds have rows of their own."""
    open_key: UUID | None
    is_key_expired: bool
    """True when the processor may have forgotten `open_key`."""
    created_at: datetime
    captured_at: datetime | None
    """As it was read: the store sets it with the status."""
    card: PaidCard | None

    @property
    def left_minor(self) -> int:
        """What may still be given back."""
        return self.captured_minor - self.refunded_minor - self.refunding_minor

    def view(self) -> Payment:
        has_money = self.status is not CAPTURED or self.captured_minor > self.refunded_minor
        return Payment(
            id=self.id,
            reference_id=self.reference_id,
            status=self.status,
            amount_minor=self.amount_minor,
            captured_minor=self.captured_minor,
            refunded_minor=self.refunded_minor,
            currency=self.currency,
            action_url=self.action_url,
            is_being_released=self.wants_release and self.status in LIVE and has_money,
            failure_code=self.failure_code,
            created_at=self.created_at,
        )

    def with_operation(self, kind: OperationKind, *, key: UUID) -> "PaymentRecord":
        return replace(self, open_kind=kind, open_key=key, is_key_expired=False)

    def without_operation(self, key: UUID) -> "PaymentRecord":
        """Return the payment without the operation of that key; one of another key stays open."""
        return replace(self, open_kind=None, open_key=None, is_key_expired=False) if self.open_key == key else self

    def reserving(self, amount_minor: int) -> "PaymentRecord":
        """Return the payment with so much more reserved for refunds, or less when the amount is negative."""
        return replace(self, refunding_minor=self.refunding_minor + amount_minor)

    def follow(self, seen: IntentSnapshot) -> "PaymentRecord":
        """Return the payment after the processor was seen."""
        status = advance(self.status, seen.status)
        moved = replace(self, intent_id=seen.intent_id, status=status, card=seen.card or self.card)
        if status is not seen.status:
            return moved
        return replace(
            moved,
            captured_minor=seen.captured_minor,
            action_url=seen.action_url,
            failure_code=seen.failure_code,
        )


@dataclass(frozen=True, kw_only=True)
class RefundRecord:
    """Money given back, or about to be, as its row holds it."""

    id: UUID
    payment_id: UUID
    status: RefundStatus
    amount_minor: int
    attempt_key: UUID
    """The key of the current attempt at the processor."""
    is_key_expired: bool


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A stored call to the processor whose outcome is unknown."""

    kind: OperationKind
    key: UUID
    is_key_expired: bool
    payment: PaymentRecord
    refund: RefundRecord | None = None

    @classmethod
    def on_payment(cls, payment: PaymentRecord) -> "Operation | None":
        """Return the open operation of a payment, other than refunds."""
        if payment.open_kind is None or payment.open_key is None:
            return None
        expired = payment.is_key_expired
        return cls(kind=payment.open_kind, key=payment.open_key, is_key_expired=expired, payment=payment)

    @classmethod
    def on_refund(cls, payment: PaymentRecord, refund: RefundRecord) -> "Operation":
        key, expired = refund.attempt_key, refund.is_key_expired
        return cls(kind=OperationKind.REFUND, key=key, is_key_expired=expired, payment=payment, refund=refund)


def advance(now: PaymentStatus, seen: PaymentStatus) -> PaymentStatus:
    """Return the status after the processor was seen in `seen`.

    Answers may arrive late and in any order, so a payment never goes back, and one that has ended stays ended.
    """
    if now in ENDED or now is CAPTURED:
        return now
    if seen in ENDED:
        return seen
    return seen if LIVE.index(seen) > LIVE.index(now) else now


def is_orphaned(now: PaymentStatus, seen: PaymentStatus) -> bool:
    """Whether the processor holds or has taken money for a payment that has ended here."""
    return now in ENDED and seen in LIVE and seen is not STARTED


def next_operation(status: PaymentStatus, *, wants_release: bool, left_minor: int) -> OperationKind | None:
    """Return the next step of giving a payment back, or None."""
    if not wants_release:
        return None
    if status in {REQUIRES_ACTION, AUTHORISED}:
        return OperationKind.CANCEL
    return OperationKind.REFUND if status is CAPTURED and left_minor > 0 else None


def events_between(before: PaymentRecord, after: PaymentRecord) -> Iterable[Event]:
    """Return what happened between two states of a payment, in order, also where states between them were skipped."""
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


def require_amount(amount_minor: int, currency: str) -> None:
    """Raise AmountNotChargeable for an amount finer than the processor can count."""
    try:
        require_step(amount_minor, currency)
    except AmountInvalid as refusal:
        raise AmountNotChargeable(f"{refusal.problem}.", hint=f"{refusal.hint.capitalize()}.") from refusal


def not_found(reference_id: UUID) -> PaymentNotFound:
    return PaymentNotFound(f"There is no payment for {reference_id}.")
