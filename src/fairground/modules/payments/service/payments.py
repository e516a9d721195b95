"""The contract of payments: reading them, and a facade over one object for each subject."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.payments import Payment, PaymentFailed, PaymentPending
from fairground.modules.payments import store
from fairground.modules.payments.domain import ENDED
from fairground.modules.payments.gateways.processor import PaymentProcessor, ProcessorDeclined, ProcessorUnavailable
from fairground.modules.payments.service import state_sync
from fairground.modules.payments.service.authorisation import Authorisation
from fairground.modules.payments.service.capture import Capture
from fairground.modules.payments.service.operations import OperationExecutor, find_open_operation
from fairground.modules.payments.service.refunds import Refunds
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
        # Without an intent before, the payment is as its creation has just left it: there is no more to fetch.
        if known.intent_id is None or known.status in ENDED:
            return current.view()
        try:
            seen = await state_sync.fetch_snapshot(self._processor, known.intent_id)
        except (ProcessorUnavailable, ProcessorDeclined) as silence:
            raise PaymentPending("The card processor did not say how the payment stands.") from silence
        async with self._db.write() as tx:
            locked = await store.lock_payment(tx, known.id)
            return (await state_sync.apply_snapshot(tx, locked, seen)).view()


class PaymentService:
    def __init__(
        self,
        *,
        authorisation: Authorisation,
        capture: Capture,
        refunds: Refunds,
        queries: PaymentQueries,
        is_sandbox: bool,
    ) -> None:
        self.is_sandbox = is_sandbox
        self._authorisation = authorisation
        self._capture = capture
        self._refunds = refunds
        self._queries = queries

    async def authorise(
        self,
        *,
        reference_id: UUID,
        payer_id: UUID,
        amount_minor: int,
        currency: str,
        payment_method: str,
        return_url: str,
    ) -> Payment:
        return await self._authorisation.authorise(
            reference_id=reference_id,
            payer_id=payer_id,
            amount_minor=amount_minor,
            currency=currency,
            payment_method=payment_method,
            return_url=return_url,
        )

    async def capture(self, *, reference_id: UUID) -> Payment:
        return await self._capture.capture(reference_id=reference_id)

    async def release(self, *, reference_id: UUID) -> Payment | None:
        return await self._refunds.release(reference_id=reference_id)

    async def refund(self, *, reference_id: UUID, amount_minor: int, key: str) -> Payment:
        return await self._refunds.refund(reference_id=reference_id, amount_minor=amount_minor, key=key)

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        return await self._queries.find_payment(reference_id=reference_id)

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        return await self._queries.find_payments(reference_ids=reference_ids)

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        return await self._queries.refresh(reference_id=reference_id)


def build_service(
    *, db: Database, processor: PaymentProcessor, operations: OperationExecutor, is_sandbox: bool
) -> PaymentService:
    return PaymentService(
        authorisation=Authorisation(db=db, operations=operations),
        capture=Capture(db=db, operations=operations),
        refunds=Refunds(db=db, operations=operations),
        queries=PaymentQueries(db=db, processor=processor, operations=operations),
        is_sandbox=is_sandbox,
    )
