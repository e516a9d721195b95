"""What staff read of payments: lists, one with all that happened to it, and the money of a day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select, union_all

from fairground.contracts.payments import PaymentStatus
from fairground.contracts.staff_payments import PaymentAttempt, PaymentRefund, ProcessorEvent, StaffPayment
from fairground.kernel.inputs import TimeCursor
from fairground.modules.payments.tables import AttemptRow, EventRow, PaymentRow, RefundRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.paging import is_within
from fairground.platform.db.types import among

_SHOWN_MAX: Final = 200  # attempts, refunds and events of one payment
_COLUMNS: Final = (*PaymentRow.__table__.columns,)


async def search(
    tx: ReadTx,
    *,
    statuses: Sequence[PaymentStatus],
    from_at: datetime | None,
    before_at: datetime | None,
    after: TimeCursor | None,
    limit: int,
) -> list[StaffPayment]:
    """Return the payments of some statuses that were begun in a time, the newest first."""
    await tx.prefer_indexes()
    within = is_within(PaymentRow.created_at, PaymentRow.id, from_at=from_at, before_at=before_at, after=after)
    ranges = [
        select(PaymentRow.id, PaymentRow.created_at)
        .where(PaymentRow.status == status.value, *within)
        .order_by(PaymentRow.created_at.desc(), PaymentRow.id.desc())
        .limit(limit)
        .subquery()
        for status in statuses
    ]
    merged = union_all(*(select(each.c.id, each.c.created_at) for each in ranges)).subquery()
    newest = select(merged.c.id).order_by(merged.c.created_at.desc(), merged.c.id.desc()).limit(limit)
    ids = await tx.scalars(newest)
    return await _list(tx, ids)


async def _list(tx: ReadTx, ids: Sequence[UUID]) -> list[StaffPayment]:
    rows = await tx.all(select(*_COLUMNS).where(among(PaymentRow.id, ids))) if ids else []
    return sorted(map(_payment, rows), key=lambda payment: (payment.created_at, payment.id), reverse=True)


async def list_named(tx: ReadTx, *, named: UUID, limit: int) -> list[StaffPayment]:
    """Return the payment with this id, and those of a reference with it."""
    is_named = or_(PaymentRow.id == named, PaymentRow.reference_id == named)
    rows = await tx.all(select(*_COLUMNS).where(is_named).limit(limit))
    return sorted(map(_payment, rows), key=lambda payment: payment.created_at, reverse=True)


async def list_of_intent(tx: ReadTx, *, intent_id: str) -> list[StaffPayment]:
    rows = await tx.all(select(*_COLUMNS).where(PaymentRow.intent_id == intent_id).limit(1))
    return [_payment(row) for row in rows]


async def list_of_payer(tx: ReadTx, *, payer_id: UUID, limit: int) -> list[StaffPayment]:
    own = select(*_COLUMNS).where(PaymentRow.payer_id == payer_id)
    rows = await tx.all(own.order_by(PaymentRow.created_at.desc(), PaymentRow.id.desc()).limit(limit))
    return [_payment(row) for row in rows]


async def find_payment(tx: ReadTx, *, payment_id: UUID) -> StaffPayment | None:
    row = await tx.one_or_none(select(*_COLUMNS).where(PaymentRow.id == payment_id))
    return None if row is None else _payment(row)


async def list_attempts(tx: ReadTx, *, payment_id: UUID) -> list[PaymentAttempt]:
    rows = await tx.all(
        select(AttemptRow.act, AttemptRow.outcome, AttemptRow.reason, AttemptRow.logged_at)
        .where(AttemptRow.payment_id == payment_id)
        .order_by(AttemptRow.logged_at, AttemptRow.id)
        .limit(_SHOWN_MAX)
    )
    return [
        PaymentAttempt(operation=row.act, outcome=row.outcome, reason=row.reason, logged_at=row.logged_at)
        for row in rows
    ]


async def list_refunds(tx: ReadTx, *, payment_id: UUID) -> list[PaymentRefund]:
    columns = (RefundRow.key, RefundRow.status, RefundRow.amount_minor, RefundRow.open_since, RefundRow.succeeded_at)
    of_payment = select(*columns).where(RefundRow.payment_id == payment_id)
    rows = await tx.all(of_payment.order_by(RefundRow.open_since, RefundRow.id).limit(_SHOWN_MAX))
    return [
        PaymentRefund(
            key=row.key,
            status=row.status,
            amount_minor=row.amount_minor,
            opened_at=row.open_since,
            succeeded_at=row.succeeded_at,
        )
        for row in rows
    ]


async def list_events(tx: ReadTx, *, intent_id: str) -> list[ProcessorEvent]:
    of_intent = select(EventRow.event_id, EventRow.kind, EventRow.received_at).where(EventRow.intent_id == intent_id)
    rows = await tx.all(of_intent.order_by(EventRow.received_at, EventRow.event_id).limit(_SHOWN_MAX))
    return [ProcessorEvent(event_id=row.event_id, kind=row.kind, received_at=row.received_at) for row in rows]


async def sum_captured(tx: ReadTx, *, since: datetime) -> dict[str, int]:
    """Return what was captured since an instant, by currency."""
    total = func.sum(PaymentRow.captured_minor).label("total")
    captured = select(PaymentRow.currency, total).where(
        PaymentRow.captured_at.is_not(None), PaymentRow.captured_at >= since
    )
    rows = await tx.all(captured.group_by(PaymentRow.currency).limit(_SHOWN_MAX))
    return {row.currency: int(row.total) for row in rows}


async def sum_refunded(tx: ReadTx, *, since: datetime) -> dict[str, int]:
    """Return what was refunded since an instant, by currency."""
    total = func.sum(RefundRow.amount_minor).label("total")
    refunded = (
        select(PaymentRow.currency, total)
        .select_from(RefundRow)
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .where(RefundRow.succeeded_at.is_not(None), RefundRow.succeeded_at >= since)
    )
    rows = await tx.all(refunded.group_by(PaymentRow.currency).limit(_SHOWN_MAX))
    return {row.currency: int(row.total) for row in rows}


def _payment(row: Any) -> StaffPayment:
    return StaffPayment(
        id=row.id,
        reference_id=row.reference_id,
        status=PaymentStatus(row.status),
        amount_minor=row.amount_minor,
        captured_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
        currency=row.currency,
        action_url=row.action_url,
        is_being_released=False,
        failure_code=row.failure_code,
        created_at=row.created_at,
        payer_id=row.payer_id,
        intent_id=row.intent_id,
        captured_at=row.captured_at,
        refunding_minor=row.refunding_minor,
    )
