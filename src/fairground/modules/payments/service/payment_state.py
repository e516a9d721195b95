"""The state of payments, changed in the caller's transaction: by snapshots of the processor and by requests to release.

Nothing else changes a status. Functions take a payment that is locked in `tx`, and return it as it is stored then.
"""

from dataclasses import replace
from typing import ClassVar

import structlog

from fairground.contracts.payments import PaymentStatus
from fairground.kernel.messages import Job, Queue
from fairground.modules.payments import domain, store
from fairground.modules.payments.domain import (
    IntentSnapshot,
    PaymentRecord,
    ProcessorRefund,
    RefundRecord,
)
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.service import operations
from fairground.platform.db.database import WriteTx

log = structlog.get_logger(__name__)


class CancelOrphanedIntent(Job):
    """Cancel an authorisation that no payment of ours needs any more."""

    topic: ClassVar = "payments.cancel_stray.v1"  # a public name
    queue: ClassVar = Queue.MONEY
    intent_id: str


async def fetch_snapshot(processor: PaymentProcessor, intent_id: str) -> IntentSnapshot:
    """Fetch an intent and its refunds from the processor, outside any transaction."""
    snapshot = await processor.get_snapshot(intent_id)
    if snapshot.status is not PaymentStatus.CAPTURED:
        return snapshot
    return replace(snapshot, refunds=await processor.list_refunds(intent_id))


async def apply_snapshot(
    tx: WriteTx, before: PaymentRecord, seen: IntentSnapshot, *, payment: PaymentRecord | None = None
) -> PaymentRecord:
    """Advance a payment to what the processor holds, emit what has changed, and start the operation that follows.

    Applying a snapshot again changes nothing.

    Args:
        before: The payment as it is stored.
        payment: The payment with changes that are not stored yet, if there are any.
    """
    payment = payment or before
    if payment.intent_id not in {None, seen.intent_id} or domain.is_orphaned(payment.status, seen.status):
        log.warning("payments.orphaned_intent_found", payment_id=str(payment.id), intent_id=seen.intent_id)
        await tx.enqueue(CancelOrphanedIntent(intent_id=seen.intent_id), dedup_key=seen.intent_id)
        await store.save_payment(tx, before, payment)
        return payment
    payment = payment.follow(seen)
    await store.save_payment(tx, before, payment)
    for refund in seen.refunds:
        payment = await _apply_refund(tx, payment, refund)
    await emit_changes(tx, before, payment)
    return await operations.start_next_operation(tx, payment, payment)


async def mark_failed(tx: WriteTx, before: PaymentRecord, payment: PaymentRecord, *, reason: str) -> PaymentRecord:
    """End a payment that the processor never made; `payment` is `before` with changes that are not stored yet."""
    if payment.status is PaymentStatus.STARTED:
        payment = replace(payment, status=PaymentStatus.FAILED, failure_code=reason)
    await store.save_payment(tx, before, payment)
    await emit_changes(tx, before, payment)
    return payment


async def request_release(tx: WriteTx, payment: PaymentRecord) -> PaymentRecord:
    """Note that everything shall be given back, and start the first operation of that."""
    if payment.status in domain.ENDED or payment.wants_release:
        return payment
    return await operations.start_next_operation(tx, payment, replace(payment, wants_release=True))


async def finalize_refund(
    tx: WriteTx, payment: PaymentRecord, refund: RefundRecord, *, processor_refund_id: str
) -> PaymentRecord:
    """Turn a reservation into money given back, once."""
    if not await store.succeed_refund(tx, refund.id, processor_refund_id=processor_refund_id):
        return payment
    await store.book_reserved_refund(tx, payment.id, refund.amount_minor)
    freed = payment.reserving(-refund.amount_minor)
    return replace(freed, refunded_minor=payment.refunded_minor + refund.amount_minor)


async def emit_changes(tx: WriteTx, before: PaymentRecord, after: PaymentRecord) -> None:
    """Emit, as events, what this transaction has changed on a payment."""
    if after.status is not before.status:
        log.info("payments.moved", payment_id=str(after.id), before=before.status, after=after.status)
    for event in domain.events_between(before, after):
        await tx.emit(event)


async def _apply_refund(tx: WriteTx, payment: PaymentRecord, seen: ProcessorRefund) -> PaymentRecord:
    ours = await store.find_refund_by_id(tx, seen.refund_id) if seen.refund_id else None
    if ours is not None and ours.payment_id == payment.id:
        return await finalize_refund(tx, payment, ours, processor_refund_id=seen.processor_refund_id)
    if await store.is_refund_known(tx, seen.processor_refund_id):
        return payment
    # Made by hand at the processor. While it does not fit beside what is reserved here, the processor will refuse one
    # of the two, and the snapshot after that shows which.
    if not await store.book_foreign_refund(tx, payment.id, seen.amount_minor):
        return payment
    await store.insert_foreign_refund(
        tx, payment.id, processor_refund_id=seen.processor_refund_id, amount_minor=seen.amount_minor
    )
    return replace(payment, refunded_minor=payment.refunded_minor + seen.amount_minor)
