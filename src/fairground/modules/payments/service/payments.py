"""The contract of payments, as a facade over one object for each of its subjects."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.payments import Payment
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.service.authorisation import Authorisation
from fairground.modules.payments.service.capture import Capture
from fairground.modules.payments.service.operations import OperationExecutor
from fairground.modules.payments.service.queries import PaymentQueries
from fairground.modules.payments.service.refunds import Refunds
from fairground.platform.db.database import Database


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
