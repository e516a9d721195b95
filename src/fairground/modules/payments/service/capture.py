"""Capturing a payment: take the whole authorised amount."""

from uuid import UUID

from fairground.contracts.payments import Payment, PaymentStateConflict, PaymentStatus
from fairground.kernel.ids import uuid7
from fairground.modules.payments import store
from fairground.modules.payments.domain import Operation, OperationKind, PaymentRecord, not_found
from fairground.modules.payments.service import state_sync
from fairground.modules.payments.service.operations import OperationExecutor, find_open_operation
from fairground.platform.db.database import Database, WriteTx


class Capture:
    def __init__(self, *, db: Database, operations: OperationExecutor) -> None:
        self._db = db
        self._operations = operations

    async def capture(self, *, reference_id: UUID) -> Payment:
        async with self._db.write() as tx:
            payment = await store.lock_newest(tx, reference_id)
            if payment is None:
                raise not_found(reference_id)
            operation = await _find_or_start(tx, payment)
        while operation is not None:
            payment = await self._operations.settle(operation)
            if operation.kind is OperationKind.CAPTURE:
                break
            # That was another operation, whose outcome decides whether the payment can be captured.
            async with self._db.write() as tx:
                payment = await store.lock_payment(tx, payment.id)
                operation = await _find_or_start(tx, payment)
        return payment.view()


async def _find_or_start(tx: WriteTx, payment: PaymentRecord) -> Operation | None:
    """Return what is open on a payment, else its capture; None when it is captured.

    Raises:
        PaymentStateConflict: It is not authorised, or about to be released.
    """
    operation = await find_open_operation(tx, payment)
    if operation is not None or payment.status is PaymentStatus.CAPTURED:
        return operation
    if payment.status is not PaymentStatus.AUTHORISED or payment.wants_release:
        raise PaymentStateConflict(f"Payment {payment.id} is {payment.status}; only an authorised one can be taken.")
    capturing = payment.with_operation(OperationKind.CAPTURE, key=uuid7())
    await store.save_payment(tx, payment, capturing)
    await state_sync.schedule_settlement(tx, payment.id)
    return Operation.on_payment(capturing)
