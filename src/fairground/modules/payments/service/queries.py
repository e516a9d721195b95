"""Reading payments: as they are known here, or brought up to date with the processor."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.payments import Payment, PaymentFailed, PaymentPending
from fairground.modules.payments import store
from fairground.modules.payments.domain import ENDED
from fairground.modules.payments.gateways.processor import PaymentProcessor, ProcessorDeclined, ProcessorUnavailable
from fairground.modules.payments.service import state_sync
from fairground.modules.payments.service.operations import OperationExecutor, find_open_operation
from fairground.platform.db.database import Database


class PaymentQueries:
    def __init__(self, *, db: Database, processor: PaymentProcessor, operations: OperationExecutor) -> None:
        self._db = db
        self._processor = processor
        self._operations = operations

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            payment = await store.find_newest(tx, reference_id)
        return None if payment is None else payment.view()

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        async with self._db.read() as tx:
            payments = await store.list_oldest_first(tx, reference_ids)
        # The newest of a reference comes last, and stays.
        return {payment.reference_id: payment.view() for payment in payments}

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            known = await store.find_newest(tx, reference_id)
            if known is None:
                return None
            operation = await find_open_operation(tx, known)
        current = known
        if operation is not None:
            try:
                current = await self._operations.settle(operation)
            except PaymentFailed:
                async with self._db.read() as tx:
                    current = await store.get_payment(tx, known.id)
        # A payment that had no intent before has one of just now.
        if known.intent_id is None or known.status in ENDED:
            return current.view()
        try:
            seen = await state_sync.fetch_snapshot(self._processor, known.intent_id)
        except (ProcessorUnavailable, ProcessorDeclined) as silence:
            raise PaymentPending("The card processor did not say how the payment stands.") from silence
        async with self._db.write() as tx:
            locked = await store.lock_payment(tx, known.id)
            return (await state_sync.apply_snapshot(tx, locked, seen)).view()
