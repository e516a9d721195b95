"""From what is seen at the processor to what we know: the only place where the status of a payment changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from fairground.contracts.payments import Payment, PaymentStatus
from fairground.kernel.ids import uuid7
from fairground.modules.payments import domain, store
from fairground.modules.payments.domain import Act, Standing
from fairground.modules.payments.gateways.processor import PaymentProcessor, ProcessorRefund
from fairground.modules.payments.service.jobs import CancelStray, SettlePayment
from fairground.platform.db.database import WriteTx

log = structlog.get_logger(__name__)

# Longer than a call may take: whoever is alive has finished by then.
SAFETY_NET_AFTER: Final = timedelta(seconds=30)
_RELEASE_KEY: Final = "release"


class RefundNotReserved(Exception):
    """A bug: the row of a payment says that more is left than the database lets us reserve."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    standing: Standing
    refunds: Sequence[ProcessorRefund] = ()


async def look(processor: PaymentProcessor, intent_id: str) -> Observation:
    """Ask the processor how an intent stands, outside any transaction."""
    standing = await processor.get_standing(intent_id)
    is_captured = standing.status is PaymentStatus.CAPTURED
    return Observation(standing=standing, refunds=await processor.list_refunds(intent_id) if is_captured else ())


async def apply(tx: WriteTx, payment_id: UUID, seen: Observation) -> None:
    """Move a payment on to what was seen, tell it, and plan what comes next. Seeing it again changes nothing."""
    row = await store.lock_payment(tx, payment_id)
    before = store.to_payment(row)
    if row.intent_id not in {None, seen.standing.intent_id} or domain.is_left_behind(
        before.status, seen.standing.status
    ):
        log.warning("payments.stray_found", payment_id=str(payment_id), intent_id=seen.standing.intent_id)
        await tx.enqueue(CancelStray(intent_id=seen.standing.intent_id), dedup_key=seen.standing.intent_id)
        return
    await _apply_standing(tx, before, seen.standing)
    for refund in seen.refunds:
        await _apply_refund(tx, payment_id, refund)
    await tell_changes(tx, before)
    await plan_next(tx, payment_id)


async def fail(tx: WriteTx, payment_id: UUID, *, reason: str) -> None:
    """End a payment that the processor never made."""
    before = store.to_payment(await store.lock_payment(tx, payment_id))
    if before.status is PaymentStatus.STARTED:
        await store.change_payment(tx, payment_id, status=PaymentStatus.FAILED.value, failure_code=reason)
        await tell_changes(tx, before)


async def tell_changes(tx: WriteTx, before: Payment) -> None:
    """Tell, as events, what this transaction has changed on a payment since `before`."""
    after = store.to_payment(await store.lock_payment(tx, before.id))
    if after.status is not before.status:
        log.info("payments.moved", payment_id=str(after.id), before=before.status, after=after.status)
    for event in domain.events_between(before, after):
        await tx.emit(event)


async def plan_next(tx: WriteTx, payment_id: UUID) -> None:
    """Open the act that the payment needs next, if it needs one and none is open."""
    row = await store.lock_payment(tx, payment_id)
    left = left_minor(row)
    act = domain.next_act(PaymentStatus(row.status), wants_release=row.wants_release, left_minor=left)
    if act is None or row.open_key is not None:
        return
    if act is Act.REFUND:
        if not await store.reserve_refund(tx, payment_id, left):
            # The row is locked, so what was read is what is there, or this program reserves what it must not.
            raise RefundNotReserved(f"{left} of payment {payment_id} could not be set aside to be given back.")
        await store.start_refund(tx, payment_id=payment_id, key=await _release_key(tx, payment_id), amount_minor=left)
    else:
        await store.open_act(tx, payment_id, act)
    await set_safety_net(tx, payment_id)


async def _release_key(tx: WriteTx, payment_id: UUID) -> str:
    """Return the key of the next refund of a release: that of a refused one, which is tried again, or a new one.

    The row of an open refund holds its reservation, and that of a successful one the name of its money.
    """
    earlier = await store.find_refund(tx, payment_id, _RELEASE_KEY)
    return _RELEASE_KEY if earlier is None or earlier.status == "failed" else f"{_RELEASE_KEY}:{uuid7()}"


async def set_safety_net(tx: WriteTx, payment_id: UUID) -> None:
    """Have somebody look after the payment shortly, whatever becomes of us."""
    await tx.enqueue(SettlePayment(payment_id=payment_id), delay=SAFETY_NET_AFTER, dedup_key=str(payment_id))


def left_minor(row: Any) -> int:
    """Return what may still be given back."""
    left: int = row.captured_minor - row.refunded_minor - row.refunding_minor
    return left


async def _apply_standing(tx: WriteTx, before: Payment, standing: Standing) -> None:
    status = domain.advance(before.status, standing.status)
    changes: dict[str, Any] = {"intent_id": standing.intent_id, "status": status.value}
    if status is standing.status:
        changes |= {"action_url": standing.action_url, "failure_code": standing.failure_code}
        changes |= {"captured_minor": standing.captured_minor}
    await store.change_payment(tx, before.id, **changes)


async def _apply_refund(tx: WriteTx, payment_id: UUID, refund: ProcessorRefund) -> None:
    ours = await store.get_refund(tx, refund.refund_id) if refund.refund_id else None
    if ours is not None and ours.payment_id == payment_id:
        await conclude_refund(tx, ours, processor_refund_id=refund.processor_refund_id)
        return
    # One that somebody made by hand at the processor. While it does not fit beside what we have reserved, one of the
    # two will be refused there, and the next look tells which.
    if await store.is_refund_known(tx, refund.processor_refund_id):
        return
    if await store.book_refund(tx, payment_id, refund.amount_minor):
        await store.insert_foreign_refund(
            tx, payment_id, processor_refund_id=refund.processor_refund_id, amount_minor=refund.amount_minor
        )


async def conclude_refund(tx: WriteTx, refund: Any, *, processor_refund_id: str) -> None:
    """Turn a reservation into money given back, once."""
    if await store.succeed_refund(tx, refund.id, processor_refund_id=processor_refund_id):
        await store.release_reservation(tx, refund.payment_id, refund.amount_minor)
        await store.book_refund(tx, refund.payment_id, refund.amount_minor)
