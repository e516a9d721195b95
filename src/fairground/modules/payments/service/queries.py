"""Queries of payments, as they are stored or as the processor has them now."""

from collections.abc import Collection
from uuid import UUID

import structlog

from fairground.contracts.payments import Payment, PaymentFailed, PaymentPending, PaymentReceipt
from fairground.modules.payments import store
from fairground.modules.payments.domain import ENDED
from fairground.modules.payments.gateways.processor import PaymentProcessor, ProcessorDeclined, ProcessorUnavailable
from fairground.modules.payments.service import payment_state
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import find_open_operation
from fairground.platform.db.database import Database

log = structlog.get_logger(__name__)


class PaymentQueries:
    def __init__(self, *, db: Database, processor: PaymentProcessor, executor: OperationExecutor) -> None:
        self._db = db
        self._processor = processor
        self._executor = executor

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            payment = await store.find_newest(tx, reference_id)
        return None if payment is None else payment.view()

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        async with self._db.read() as tx:
            payments = await store.list_oldest_first(tx, reference_ids)
        found: dict[UUID, Payment] = {}
        # The newest of a reference comes last, and counts even where it cannot be read.
        for reference_id, payment in payments:
            if isinstance(payment, ValueError):
                log.error("payments.unreadable", reference_id=str(reference_id), exc_info=payment)
                found.pop(reference_id, None)
            else:
                found[reference_id] = payment.view()
        return found

    async def find_receipt(self, *, reference_id: UUID) -> PaymentReceipt | None:
        async with self._db.read() as tx:
            payment = await store.find_newest(tx, reference_id)
            if payment is None or payment.captured_at is None:
                return None
            refunds = await store.list_refunds_made(tx, payment.id)
        return PaymentReceipt(
            payment_id=payment.id,
            captured_minor=payment.captured_minor,
            captured_at=payment.captured_at,
            card=payment.card,
            refunds=refunds,
            refunded_minor=payment.refunded_minor,
            currency=payment.currency,
        )

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            known = await store.find_newest(tx, reference_id)
            if known is None:
                return None
            operation = await find_open_operation(tx, known)
        current = known
        if operation is not None:
            try:
                current = await self._executor.execute_all(operation)
            except PaymentFailed:
                async with self._db.read() as tx:
                    current = await store.get_payment(tx, known.id)
        # Without an intent before, the payment is as its creation has just left it: there is no more to fetch.
        if known.intent_id is None or known.status in ENDED:
            return current.view()
        try:
            seen = await payment_state.fetch_snapshot(self._processor, known.intent_id)
        except (ProcessorUnavailable, ProcessorDeclined) as silence:
            raise PaymentPending("The card processor did not report the state of the payment.") from silence
        async with self._db.write() as tx:
            locked = await store.lock_payment(tx, known.id)
            return (await payment_state.apply_snapshot(tx, locked, seen)).view()
