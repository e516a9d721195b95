"""Operations are stored before they are sent: each with its key, and with a job that executes it if this process dies.

Functions take a payment that is locked in `tx`, and return it as it is stored then.
"""

from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job, Queue
from fairground.modules.payments import domain, store
from fairground.modules.payments.domain import (
    NewPayment,
    Operation,
    OperationKind,
    PaymentRecord,
    RefundRecord,
    RefundStatus,
)
from fairground.platform.db.database import ReadTx, WriteTx

# Longer than a call may take, so a caller that is alive has finished by then.
EXECUTE_AFTER: Final = timedelta(seconds=30)
_RELEASE_KEY: Final = "release"


class ExecuteOpenOperations(Job):
    """Execute what is open on a payment. Stored before every call to the processor, in case the process dies in it."""

    topic: ClassVar = "payments.settle.v1"  # a public name
    queue: ClassVar = Queue.MONEY
    # A day at least. By then the key is no longer valid, so the last attempts look the operation up instead.
    max_attempts: ClassVar[int] = 60
    payment_id: UUID


class RefundNotReserved(Exception):
    """A bug: the row of a payment says that more is left than the database lets us reserve."""


async def find_open_operation(tx: ReadTx, payment: PaymentRecord) -> Operation | None:
    """Return what is open on a payment: the operation on its intent first, then its oldest refund."""
    operation = Operation.on_payment(payment)
    if operation is not None or not payment.refunding_minor:
        return operation
    refund = await store.find_open_refund(tx, payment.id)
    return None if refund is None else Operation.on_refund(payment, refund)


async def start_creation(tx: WriteTx, new: NewPayment) -> PaymentRecord | None:
    """Store a payment whose intent is to be created; return None if its reference has a live payment."""
    started = await store.insert_payment(tx, new)
    if started is not None:
        await _enqueue_execution(tx, started.id)
    return started


async def start_capture(tx: WriteTx, payment: PaymentRecord) -> Operation | None:
    capturing = payment.with_operation(OperationKind.CAPTURE, key=uuid7())
    await store.save_payment(tx, payment, capturing)
    await _enqueue_execution(tx, payment.id)
    return Operation.on_payment(capturing)


async def start_refund(
    tx: WriteTx, payment: PaymentRecord, *, amount_minor: int, key: str, failed: RefundRecord | None
) -> tuple[PaymentRecord, RefundRecord] | None:
    """Reserve and store a refund, or a new attempt of the failed one of the same key; None if too little is left."""
    if not await store.reserve_refund(tx, payment.id, amount_minor):
        return None
    refund = await store.start_refund(tx, payment.id, key=key, amount_minor=amount_minor, retried=failed)
    await _enqueue_execution(tx, payment.id)
    return payment.reserving(amount_minor), refund


async def start_next_operation(tx: WriteTx, before: PaymentRecord, payment: PaymentRecord) -> PaymentRecord:
    """Store a payment with the operation that it needs next, if it needs one and none is open."""
    kind = domain.next_operation(payment.status, wants_release=payment.wants_release, left_minor=payment.left_minor)
    if kind is None or payment.open_key is not None:
        await store.save_payment(tx, before, payment)
        return payment
    if kind is OperationKind.REFUND:
        await store.save_payment(tx, before, payment)
        payment = await _start_release_refund(tx, payment)
    else:
        payment = payment.with_operation(kind, key=uuid7())
        await store.save_payment(tx, before, payment)
    await _enqueue_execution(tx, payment.id)
    return payment


async def _start_release_refund(tx: WriteTx, payment: PaymentRecord) -> PaymentRecord:
    amount_minor = payment.left_minor
    if not await store.reserve_refund(tx, payment.id, amount_minor):
        # The row is locked, so what was read is what is there, or this program reserves what it must not.
        raise RefundNotReserved(f"Could not reserve {amount_minor} of payment {payment.id} for a refund.")
    earlier = await store.find_refund(tx, payment.id, _RELEASE_KEY)
    # The row of an open refund holds its reservation, and that of a successful one the processor's id of it: only a
    # failed one is tried again.
    is_retry = earlier is None or earlier.status is RefundStatus.FAILED
    key, retried = (_RELEASE_KEY, earlier) if is_retry else (f"{_RELEASE_KEY}:{uuid7()}", None)
    await store.start_refund(tx, payment.id, key=key, amount_minor=amount_minor, retried=retried)
    return payment.reserving(amount_minor)


async def _enqueue_execution(tx: WriteTx, payment_id: UUID) -> None:
    await tx.enqueue(ExecuteOpenOperations(payment_id=payment_id), delay=EXECUTE_AFTER, dedup_key=str(payment_id))
