"""What webhooks, jobs and processes have lost is found again here: at every start, and every hour."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from fairground.contracts.payments import PaymentFailed, PaymentStatus
from fairground.kernel.errors import Unavailable
from fairground.modules.payments import store
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.service.acts import Acts
from fairground.modules.payments.service.inbox import Inbox
from fairground.modules.payments.service.jobs import CancelStray, Reconcile, SettlePayment
from fairground.modules.payments.service.payments import want_release
from fairground.platform.db.database import Database

log = structlog.get_logger(__name__)

_OPEN_FOR: Final = timedelta(minutes=1)


class Reconciliation:
    def __init__(self, *, db: Database, processor: PaymentProcessor, inbox: Inbox) -> None:
        self._db = db
        self._processor = processor
        self._inbox = inbox
        self._acts = Acts(db=db, processor=processor)

    async def run(self, _job: Reconcile) -> None:
        """Let go of authorisations about to lapse, carry on what is open, and read the events that were missed."""
        await self._let_go_of_lapsing()
        await self._carry_on_open()
        await self._inbox.read_events()

    async def settle(self, job: SettlePayment) -> None:
        """Carry what is open on a payment to its end.

        Raises:
            PaymentPending: The processor did not answer; the job comes again.
        """
        try:
            await self._acts.settle(job.payment_id)
        except PaymentFailed as refusal:
            # A refusal is an end too; it is kept, and told by its event.
            log.info("payments.refused", payment_id=str(job.payment_id), reason=refusal.context["reason"])

    async def cancel_stray(self, job: CancelStray) -> None:
        """Let go of money that is reserved for nobody.

        Raises:
            NoAnswer, Refused: The job comes again.
        """
        standing = await self._processor.get_standing(job.intent_id)
        if standing.status is PaymentStatus.CAPTURED:
            log.error("payments.stray_was_captured", intent_id=job.intent_id)
        elif standing.status is not PaymentStatus.VOIDED:
            await self._processor.cancel(job.intent_id, key=uuid5(NAMESPACE_URL, f"stray:{job.intent_id}"))

    async def _let_go_of_lapsing(self) -> None:
        async with self._db.read() as tx:
            lapsing = await store.list_lapsing(tx)
        for payment_id in lapsing:
            log.warning("payments.authorisation_lapsing", payment_id=str(payment_id))
            with _logged(payment_id):
                async with self._db.write() as tx:
                    await want_release(tx, payment_id)

    async def _carry_on_open(self) -> None:
        async with self._db.read() as tx:
            waiting = await store.list_open(tx, older_than=_OPEN_FOR)
        for payment_id in waiting:
            with _logged(payment_id):
                async with self._db.write() as tx:
                    await tx.enqueue(SettlePayment(payment_id=payment_id), dedup_key=str(payment_id))


@contextmanager
def _logged(payment_id: UUID) -> Iterator[None]:
    """Let one payment that cannot be dealt with not keep a sweep from the others."""
    try:
        yield
    except Exception as error:
        # A database that is away fails every payment alike: the job fails, and comes again.
        if isinstance(error, Unavailable):
            raise
        log.exception("payments.sweep_failed", payment_id=str(payment_id))
