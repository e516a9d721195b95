"""Executes stored operations, one at a time: sends each outside any transaction, and stores its outcome.

A process that dies in between leaves an operation open. The next caller or a job repeats it with the same key, or looks
up what became of it once the processor may have forgotten the key (docs.stripe.com/api/idempotent_requests).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from fairground.contracts.payments import PaymentFailed, PaymentPending, PaymentStatus
from fairground.modules.payments import store
from fairground.modules.payments.domain import (
    ENDED,
    IntentSnapshot,
    Operation,
    OperationKind,
    Outcome,
    PaymentRecord,
    RefundRecord,
    RefundStatus,
)
from fairground.modules.payments.gateways.processor import (
    IdempotencyKeyConsumed,
    NewIntent,
    PaymentProcessor,
    ProcessorDeclined,
    ProcessorUnavailable,
)
from fairground.modules.payments.service import payment_state
from fairground.modules.payments.service.operations import find_open_operation
from fairground.platform.db.database import Database, ReadTx, WriteTx

_GOAL: Final = {OperationKind.CAPTURE: PaymentStatus.CAPTURED, OperationKind.CANCEL: PaymentStatus.VOIDED}

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class OperationResult:
    """A payment as the transaction that stored an outcome left it, and what is still open on it."""

    payment: PaymentRecord
    next: Operation | None
    is_refund_failed: bool = False


class OperationExecutor:
    def __init__(self, *, db: Database, processor: PaymentProcessor) -> None:
        self._db = db
        self._processor = processor
        self._calls = OperationCalls(processor)

    async def execute(self, operation: Operation) -> OperationResult:
        """Send one operation and store its outcome.

        Raises:
            PaymentFailed: The processor refused to authorise or to capture.
            PaymentPending: The processor did not answer, or refused to give money back.
        """
        try:
            if operation.refund is None:
                return await self._store_snapshot(operation, await self._calls.send(operation))
            made = await self._calls.send_refund(operation, operation.refund)
            return await self._store_refund(operation, operation.refund, processor_refund_id=made)
        except ProcessorUnavailable as silence:
            await self._store_unknown(operation, reason=str(silence))
            raise PaymentPending(
                "The card processor did not respond. We'll finish the payment in the background."
            ) from silence
        except ProcessorDeclined as refusal:
            return await self._store_refusal(operation, refusal)

    async def execute_all(self, operation: Operation) -> PaymentRecord:
        """Execute an operation and those that follow until none is open; return the payment as the last one left it.

        Raises:
            PaymentFailed, PaymentPending: As `execute` does. What follows is left open.
        """
        result = await self.execute(operation)
        while result.next is not None:
            result = await self.execute(result.next)
        return result.payment

    async def _store_snapshot(self, operation: Operation, seen: IntentSnapshot) -> OperationResult:
        async with self._db.write() as tx:
            before = await store.lock_payment(tx, operation.payment.id)
            await store.log_outcome(tx, operation, Outcome.SUCCEEDED)
            closed = before.without_operation(operation.key)
            payment = await payment_state.apply_snapshot(tx, before, seen, payment=closed)
            return OperationResult(payment=payment, next=await find_open_operation(tx, payment))

    async def _store_refund(
        self, operation: Operation, refund: RefundRecord, *, processor_refund_id: str
    ) -> OperationResult:
        async with self._db.write() as tx:
            before = await store.lock_payment(tx, operation.payment.id)
            await store.log_outcome(tx, operation, Outcome.SUCCEEDED)
            payment = await payment_state.finalize_refund(tx, before, refund, processor_refund_id=processor_refund_id)
            await payment_state.emit_changes(tx, before, payment)
            has_failed = payment is before and await _is_failed(tx, refund)
            next_one = await find_open_operation(tx, payment)
            return OperationResult(payment=payment, next=next_one, is_refund_failed=has_failed)

    async def _store_unknown(self, operation: Operation, *, reason: str) -> None:
        async with self._db.write() as tx:
            await store.log_outcome(tx, operation, Outcome.UNKNOWN, reason=reason)

    async def _store_refusal(self, operation: Operation, refusal: ProcessorDeclined) -> OperationResult:
        seen = await self._fetch_after_refusal(operation, refusal)
        async with self._db.write() as tx:
            before = await store.lock_payment(tx, operation.payment.id)
            await store.log_outcome(tx, operation, Outcome.REFUSED, reason=refusal.reason)
            closed = await _close(tx, before, operation)
            if seen is None:
                payment = await payment_state.mark_failed(tx, before, closed, reason=refusal.reason)
            else:
                payment = await payment_state.apply_snapshot(tx, before, seen, payment=closed)
            has_failed = operation.refund is not None and await _is_failed(tx, operation.refund)
            next_one = await find_open_operation(tx, payment)
        _raise_for_refusal(operation, payment, reason=refusal.reason)
        return OperationResult(payment=payment, next=next_one, is_refund_failed=has_failed)

    async def _fetch_after_refusal(self, operation: Operation, refusal: ProcessorDeclined) -> IntentSnapshot | None:
        """Return the intent as it is after a refusal; None when there is none."""
        if operation.payment.intent_id is None:
            return refusal.snapshot
        try:
            return await payment_state.fetch_snapshot(self._processor, operation.payment.intent_id)
        except (ProcessorUnavailable, ProcessorDeclined) as silence:
            await self._store_unknown(operation, reason=refusal.reason)
            raise PaymentPending("The card processor refused and did not report the state of the payment.") from silence


async def _close(tx: WriteTx, payment: PaymentRecord, operation: Operation) -> PaymentRecord:
    """Return the payment without a refused operation, which frees the reservation of a refund."""
    if operation.refund is None:
        return payment.without_operation(operation.key)
    if not await store.fail_refund(tx, operation.refund.id, attempt_key=operation.key):
        return payment
    await store.release_reservation(tx, payment.id, operation.refund.amount_minor)
    return payment.reserving(-operation.refund.amount_minor)


async def _is_failed(tx: ReadTx, refund: RefundRecord) -> bool:
    found = await store.find_refund_by_id(tx, refund.id)
    return found is not None and found.status is RefundStatus.FAILED


def _raise_for_refusal(operation: Operation, after: PaymentRecord, *, reason: str) -> None:
    """Raise what a refusal means to the caller, unless the goal had been reached before.

    Raises:
        PaymentFailed: The card was refused, or the money could not be taken.
        PaymentPending: Money could not be given back; it is tried again.
    """
    kind, refund = operation.kind, operation.refund
    if kind is OperationKind.CREATE or (kind is OperationKind.CAPTURE and after.status is not PaymentStatus.CAPTURED):
        raise PaymentFailed(f"The card processor refused: {reason}.", reason=reason)
    is_reserved = kind is OperationKind.CANCEL and after.status not in {*ENDED, PaymentStatus.CAPTURED}
    # Less may be left than before, because of a refund made by hand: then the rest is requested at once.
    is_stuck = refund is not None and after.wants_release and after.refunding_minor >= refund.amount_minor
    if is_reserved or is_stuck:
        raise PaymentPending(f"The card processor could not release the money: {reason}. We'll try again.")


class OperationCalls:
    """One operation at the processor: sent with its stored key, or looked up.

    The methods raise ProcessorUnavailable and ProcessorDeclined; the latter also when nothing was done.
    """

    def __init__(self, processor: PaymentProcessor) -> None:
        self._processor = processor

    async def send(self, operation: Operation) -> IntentSnapshot:
        """Carry out an operation other than a refund, and return the intent after it."""

        async def call() -> IntentSnapshot:
            if operation.kind is OperationKind.CREATE:
                return await self._processor.create(_new_intent(operation.payment), key=operation.key)
            change = self._processor.capture if operation.kind is OperationKind.CAPTURE else self._processor.cancel
            return await change(_intent_id(operation), key=operation.key)

        return await _call_or_look_up(operation, call, lambda: self._look_up(operation))

    async def send_refund(self, operation: Operation, refund: RefundRecord) -> str:
        """Carry out a refund, and return the processor's id of it."""

        async def call() -> str:
            return await self._processor.refund(
                _intent_id(operation),
                amount_minor=refund.amount_minor,
                currency=operation.payment.currency,
                refund_id=refund.id,
                key=operation.key,
            )

        return await _call_or_look_up(operation, call, lambda: self._look_up_refund(operation, refund))

    async def _look_up(self, operation: Operation) -> IntentSnapshot:
        payment = operation.payment
        if operation.kind is OperationKind.CREATE:
            made = await self._processor.find_snapshot(payment.id, since=payment.created_at)
            if made is None:
                raise ProcessorDeclined("not_done")
            return made
        snapshot = await self._processor.get_snapshot(_intent_id(operation))
        if snapshot.status is not _GOAL[operation.kind]:
            raise ProcessorDeclined("not_done", snapshot=snapshot)
        return snapshot

    async def _look_up_refund(self, operation: Operation, refund: RefundRecord) -> str:
        made = await self._processor.list_refunds(_intent_id(operation))
        found = [each.processor_refund_id for each in made if each.refund_id == refund.id]
        if not found:
            raise ProcessorDeclined("not_done")
        return found[0]


async def _call_or_look_up(
    operation: Operation, call: Callable[[], Awaitable[Result]], look_up: Callable[[], Awaitable[Result]]
) -> Result:
    if operation.is_key_expired:
        return await look_up()
    try:
        return await call()
    except IdempotencyKeyConsumed:
        return await look_up()


def _intent_id(operation: Operation) -> str:
    """Return the intent that the operation is on; only a payment whose creation is open has none."""
    if operation.payment.intent_id is None:
        raise LookupError(f"Payment {operation.payment.id} has no intent, so there is nothing to {operation.kind}.")
    return operation.payment.intent_id


def _new_intent(payment: PaymentRecord) -> NewIntent:
    return NewIntent(
        payment_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        payment_method=payment.payment_method,
        return_url=payment.return_url,
    )
