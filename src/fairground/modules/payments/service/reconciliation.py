"""Reconciliation: find what webhooks, jobs and processes have lost, at every start and every hour."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import ClassVar, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from fairground.contracts.payments import PaymentFailed, PaymentStatus
from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Job, Queue
from fairground.modules.payments import store
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.service import payment_state
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import ExecuteOpenOperations, find_open_operation
from fairground.modules.payments.service.payment_state import CancelOrphanedIntent
from fairground.modules.payments.service.webhooks import WebhookInbox
from fairground.platform.db.database import Database

log = structlog.get_logger(__name__)

_OPEN_FOR: Final = timedelta(minutes=1)


class Reconcile(Job):
    """Find what webhooks and processes have lost."""

    topic: ClassVar = "payments.reconcile.v1"
    queue: ClassVar = Queue.MONEY


class Reconciliation:
    def __init__(
        self, *, db: Database, processor: PaymentProcessor, executor: OperationExecutor, inbox: WebhookInbox
    ) -> None:
        self._db = db
        self._processor = processor
        self._executor = executor
        self._inbox = inbox

    async def run(self, _job: Reconcile) -> None:
        """Release authorisations about to lapse, execute what is open, and read the events that were missed."""
        await self._release_lapsing()
        await self._enqueue_open()
        await self._inbox.read_events()

    async def execute_open(self, job: ExecuteOpenOperations) -> None:
        """Execute what is open on a payment.

        Raises:
            PaymentPending: The processor did not answer; the job is tried again.
        """
        async with self._db.read() as tx:
            operation = await find_open_operation(tx, await store.get_payment(tx, job.payment_id))
        if operation is None:
            return
        try:
            await self._executor.execute_all(operation)
        except PaymentFailed as refusal:
            # A refusal is an outcome too; it is stored, and an event says so.
            log.info("payments.refused", payment_id=str(job.payment_id), reason=refusal.context["reason"])

    async def cancel_orphaned_intent(self, job: CancelOrphanedIntent) -> None:
        """Let money go that is reserved for no payment.

        Raises:
            ProcessorUnavailable, ProcessorDeclined: The job is tried again.
        """
        seen = await self._processor.get_snapshot(job.intent_id)
        if seen.status is PaymentStatus.CAPTURED:
            log.error("payments.orphaned_intent_was_captured", intent_id=job.intent_id)
        elif seen.status is not PaymentStatus.VOIDED:
            # The key keeps its old word: a cancellation that is repeated after an upgrade must be the same one.
            await self._processor.cancel(job.intent_id, key=uuid5(NAMESPACE_URL, f"stray:{job.intent_id}"))

    async def _release_lapsing(self) -> None:
        async with self._db.read() as tx:
            lapsing = await store.list_lapsing(tx)
        for payment_id in lapsing:
            log.warning("payments.authorisation_lapsing", payment_id=str(payment_id))
            with _logged(payment_id):
                async with self._db.write() as tx:
                    await payment_state.request_release(tx, await store.lock_payment(tx, payment_id))

    async def _enqueue_open(self) -> None:
        async with self._db.read() as tx:
            waiting = await store.list_open(tx, older_than=_OPEN_FOR)
        for payment_id in waiting:
            with _logged(payment_id):
                async with self._db.write() as tx:
                    await tx.enqueue(ExecuteOpenOperations(payment_id=payment_id), dedup_key=str(payment_id))


@contextmanager
def _logged(payment_id: UUID) -> Iterator[None]:
    """Log a failure on one payment, so that the sweep goes on with the others."""
    try:
        yield
    except Exception as error:
        # An unavailable database fails every payment alike: the job fails, and is tried again.
        if isinstance(error, Unavailable):
            raise
        log.exception("payments.sweep_failed", payment_id=str(payment_id))
