"""Giving money back: refund a part of a captured payment, or release a payment as a whole."""

from dataclasses import dataclass
from uuid import UUID

from fairground.contracts.payments import (
    Payment,
    PaymentFailed,
    PaymentStateConflict,
    PaymentStatus,
    RefundTooLarge,
)
from fairground.modules.payments import store
from fairground.modules.payments.domain import (
    Operation,
    PaymentRecord,
    RefundRecord,
    RefundStatus,
    not_found,
    require_amount,
)
from fairground.modules.payments.service import operations, payment_state
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import find_open_operation
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, WriteTx


@dataclass(frozen=True, kw_only=True)
class StaffRefund:
    """Who gives money back by hand, and why."""

    staff_id: UUID
    reason: str


class Refunds:
    def __init__(self, *, db: Database, executor: OperationExecutor) -> None:
        self._db = db
        self._executor = executor

    async def refund(
        self, *, reference_id: UUID, amount_minor: int, key: str, by: StaffRefund | None = None
    ) -> Payment:
        """As the contract says; with `by`, the transaction that starts the refund is in the audit trail."""
        async with self._db.write() as tx:
            payment = await store.lock_newest(tx, reference_id)
            if payment is None:
                raise not_found(reference_id)
            refund = await store.find_refund(tx, payment.id, key)
            if refund is None or refund.status is RefundStatus.FAILED:
                payment, refund = await _start(tx, payment, amount_minor=amount_minor, key=key, failed=refund)
                if by is not None:
                    await _record(tx, payment, amount_minor=amount_minor, by=by)
        if refund.status is RefundStatus.SUCCEEDED:
            return payment.view()
        result = await self._executor.execute(Operation.on_refund(payment, refund))
        if result.is_refund_failed:
            raise _refused(result.payment, amount_minor)
        return result.payment.view()

    async def release(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.write() as tx:
            payment = await store.lock_newest(tx, reference_id)
            if payment is None:
                return None
            payment = await payment_state.request_release(tx, payment)
            operation = await find_open_operation(tx, payment)
        if operation is None:
            return payment.view()
        try:
            return (await self._executor.execute_all(operation)).view()
        except PaymentFailed:
            # A declined card leaves nothing to give back. After a declined capture, a job cancels the authorisation.
            async with self._db.read() as tx:
                return (await store.get_payment(tx, payment.id)).view()


async def _start(
    tx: WriteTx, payment: PaymentRecord, *, amount_minor: int, key: str, failed: RefundRecord | None
) -> tuple[PaymentRecord, RefundRecord]:
    """Start a refund, or a new attempt of the failed one of the same key.

    Raises:
        PaymentStateConflict: Nothing was captured.
        AmountNotChargeable, RefundTooLarge
    """
    if payment.status is not PaymentStatus.CAPTURED:
        raise PaymentStateConflict(
            f"Payment {payment.id} is {payment.status}; only a captured payment can be refunded."
        )
    require_amount(amount_minor, payment.currency)
    started = await operations.start_refund(tx, payment, amount_minor=amount_minor, key=key, failed=failed)
    if started is None:
        raise _too_large(payment, amount_minor)
    return started


async def _record(tx: WriteTx, payment: PaymentRecord, *, amount_minor: int, by: StaffRefund) -> None:
    await record_action(
        tx,
        action="payments.refund",
        actor=by.staff_id,
        subject=AuditSubject("payment", payment.id),
        reason=by.reason,
        details={
            "reference_id": str(payment.reference_id),
            "amount_minor": amount_minor,
            "currency": payment.currency,
        },
    )


def _too_large(payment: PaymentRecord, amount_minor: int) -> RefundTooLarge:
    left = payment.left_minor
    return RefundTooLarge(f"{amount_minor} is more than the remaining {left} of the payment.", left_minor=left)


def _refused(payment: PaymentRecord, amount_minor: int) -> RefundTooLarge | PaymentStateConflict:
    if amount_minor > payment.left_minor:
        return _too_large(payment, amount_minor)
    return PaymentStateConflict(f"The card processor refused to refund {amount_minor} of payment {payment.id}.")
