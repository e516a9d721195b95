"""Payments in memory: one payment a reference, outcomes as the test wants them, and a list of what was asked."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from fairground.contracts.payments import (
    CardFields,
    PaidCard,
    Payment,
    PaymentFailed,
    PaymentNotFound,
    PaymentPending,
    PaymentReceipt,
    PaymentStateConflict,
    PaymentStatus,
    RefundMade,
)
from fairground.kernel.ids import uuid7

DECLINED_CARD = "pm_card_chargeDeclined"
ASKING_CARD = "pm_card_threeDSecure2Required"
GOOD_CARD = "pm_card_visa"


@dataclass
class FakePayments:
    payments: dict[UUID, Payment] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refuses_capture: bool = False
    does_not_answer: bool = False
    refund_keys: set[str] = field(default_factory=set)
    is_sandbox: bool = True
    bank_origin: str = "https://bank.example"
    card_fields: CardFields | None = None

    def put(self, reference_id: UUID, **changes: object) -> Payment:
        payment = self.payments[reference_id].model_copy(update=changes)
        self.payments[reference_id] = payment
        return payment

    async def authorise(
        self,
        *,
        reference_id: UUID,
        payer_id: UUID,  # noqa: ARG002
        amount_minor: int,
        currency: str,
        payment_method: str,
        return_url: str,
    ) -> Payment:
        self._answer("authorise")
        known = self.payments.get(reference_id)
        if known and known.status not in (PaymentStatus.FAILED, PaymentStatus.VOIDED):
            return known
        status = {DECLINED_CARD: PaymentStatus.FAILED, ASKING_CARD: PaymentStatus.REQUIRES_ACTION}.get(
            payment_method, PaymentStatus.AUTHORISED
        )
        payment = Payment(
            id=uuid7(),
            reference_id=reference_id,
            status=status,
            amount_minor=amount_minor,
            captured_minor=0,
            refunded_minor=0,
            currency=currency,
            action_url=f"https://bank.example/?back={return_url}" if status is PaymentStatus.REQUIRES_ACTION else None,
            failure_code="card_declined" if status is PaymentStatus.FAILED else None,
            created_at=datetime.now(UTC),
        )
        self.payments[reference_id] = payment
        if status is PaymentStatus.FAILED:
            raise PaymentFailed("The card was declined.", reason="card_declined")
        return payment

    async def capture(self, *, reference_id: UUID) -> Payment:
        self._answer("capture")
        payment = self.payments.get(reference_id)
        if payment is None:
            raise PaymentNotFound("No payment.")
        if payment.status is PaymentStatus.CAPTURED:
            return payment
        if payment.status is not PaymentStatus.AUTHORISED:
            raise PaymentStateConflict(f"The payment is {payment.status}.")
        if self.refuses_capture:
            raise PaymentFailed("The card was declined.", reason="card_declined")
        return self.put(reference_id, status=PaymentStatus.CAPTURED, captured_minor=payment.amount_minor)

    async def release(self, *, reference_id: UUID) -> Payment | None:
        self._answer("release")
        payment = self.payments.get(reference_id)
        if payment is None or payment.status in (PaymentStatus.FAILED, PaymentStatus.VOIDED):
            return payment
        if payment.status is PaymentStatus.CAPTURED:
            return self.put(reference_id, refunded_minor=payment.captured_minor)
        return self.put(reference_id, status=PaymentStatus.VOIDED)

    async def refund(self, *, reference_id: UUID, amount_minor: int, key: str) -> Payment:
        self._answer("refund")
        payment = self.payments[reference_id]
        if key in self.refund_keys:
            return payment
        self.refund_keys.add(key)
        return self.put(reference_id, refunded_minor=payment.refunded_minor + amount_minor)

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        return self.payments.get(reference_id)

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        return {each: self.payments[each] for each in reference_ids if each in self.payments}

    async def find_receipt(self, *, reference_id: UUID) -> PaymentReceipt | None:
        payment = self.payments.get(reference_id)
        if payment is None or not payment.captured_minor:
            return None
        refunded = payment.refunded_minor
        return PaymentReceipt(
            payment_id=payment.id,
            captured_minor=payment.captured_minor,
            captured_at=payment.created_at,
            card=PaidCard(brand="visa", last4="4242"),
            refunds=[RefundMade(amount_minor=refunded, refunded_at=payment.created_at)] if refunded else [],
            refunded_minor=refunded,
            currency=payment.currency,
        )

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        self._answer("refresh")
        return self.payments.get(reference_id)

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.does_not_answer:
            raise PaymentPending("The processor did not answer.")
