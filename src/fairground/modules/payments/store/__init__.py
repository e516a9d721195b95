"""Every SQL statement of payments."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, update

from fairground.contracts.payments import PaidCard, PaymentNotFound, PaymentStatus, RefundMade
from fairground.kernel.ids import uuid7
from fairground.modules.payments.domain import (
    AUTHORISATION_KEPT_FOR,
    LIVE,
    REPLAY_KEY_FOR,
    NewPayment,
    Operation,
    OperationKind,
    Outcome,
    PaymentRecord,
    RefundRecord,
    RefundStatus,
)
from fairground.modules.payments.tables import AttemptRow, CursorRow, EventRow, PaymentRow, RefundRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift, among, constant

_EVENTS: Final = "events"
_COLUMNS: Final = PaymentRow.__table__.columns
# By the database's clock: ids are made by many processes, and a live payment is always the last one begun.
_NEWEST_FIRST: Final = PaymentRow.created_at.desc()


async def insert_payment(tx: WriteTx, new: NewPayment) -> PaymentRecord | None:
    """Store a payment with its creation open. Return None when the reference has a live payment."""
    payment = new.start(payment_id=uuid7(), key=uuid7(), now=await tx.current_time())
    fixed = asdict(new) | {"id": payment.id, "refunding_minor": 0, "refunded_minor": 0}
    times = {"created_at": payment.created_at, "open_since": payment.created_at}
    if not await tx.insert_ignore(PaymentRow, [fixed | times | _changing_columns(payment)]):
        return None
    await _log_start(tx, payment)
    return payment


async def save_payment(tx: WriteTx, before: PaymentRecord, after: PaymentRecord) -> None:
    """Store what has changed on a locked payment, and log an operation that was opened.

    The amounts of refunds are left alone: only the guarded statements below change those.
    """
    stored = _changing_columns(before)
    changes = {name: value for name, value in _changing_columns(after).items() if value != stored[name]}
    if "open_key" in changes:
        changes["open_since"] = None if after.open_key is None else tx.now()
    if changes.get("status") == PaymentStatus.CAPTURED.value:
        changes["captured_at"] = tx.now()
    if changes:
        await tx.execute(update(PaymentRow).where(PaymentRow.id == after.id).values(**changes))
    if after.open_key not in {None, before.open_key}:
        await _log_start(tx, after)


async def get_payment(tx: ReadTx, payment_id: UUID) -> PaymentRecord:
    """Raise PaymentNotFound."""
    return _require(await _find(tx, _Named.BY_ID, payment=payment_id), payment_id)


async def lock_payment(tx: WriteTx, payment_id: UUID) -> PaymentRecord:
    """Return the payment, which other transactions cannot change until this one ends; raise PaymentNotFound."""
    return _require(await _lock(tx, _Named.BY_ID, payment=payment_id), payment_id)


async def find_newest(tx: ReadTx, reference_id: UUID) -> PaymentRecord | None:
    return await _find(tx, _Named.BY_REFERENCE, reference=reference_id)


async def lock_newest(tx: WriteTx, reference_id: UUID) -> PaymentRecord | None:
    return await _lock(tx, _Named.BY_REFERENCE, reference=reference_id)


async def lock_payment_of_intent(tx: WriteTx, *, payment_id: UUID | None, intent_id: str) -> PaymentRecord | None:
    """Return the payment that has this id, or that has this intent, locked."""
    return await _lock(tx, _Named.BY_ID_OR_INTENT, payment=payment_id, intent=intent_id)


async def list_oldest_first(
    tx: ReadTx, reference_ids: Collection[UUID]
) -> list[tuple[UUID, PaymentRecord | ValueError]]:
    """Return every payment of the references with its reference, or why its row cannot be read."""
    rows = await tx.all(_oldest_first(tx.ops), {"references": list(reference_ids), "now": tx.clock_shift})
    return [(row.reference_id, _read_or_refuse(row)) for row in rows]


@lru_cache(maxsize=2)  # one for each dialect
def _oldest_first(ops: SQLOps) -> Prepared:
    named = _select_payments(ops).where(among(PaymentRow.reference_id, bindparam("references")))
    return Prepared(named.order_by(PaymentRow.created_at))


async def log_outcome(tx: WriteTx, operation: Operation, outcome: Outcome, *, reason: str | None = None) -> None:
    kind, key = operation.kind, operation.key
    await _log_attempt(tx, operation.payment.id, kind=kind, key=key, outcome=outcome, reason=reason)


async def reserve_refund(tx: WriteTx, payment_id: UUID, amount_minor: int) -> bool:
    """Set the amount aside. Return False when less than that is left: the database decides, not what was read."""
    left = PaymentRow.refunded_minor + PaymentRow.refunding_minor + amount_minor <= PaymentRow.captured_minor
    reserve = update(PaymentRow).where(PaymentRow.id == payment_id, left)
    return await tx.execute(reserve.values(refunding_minor=PaymentRow.refunding_minor + amount_minor)) == 1


async def release_reservation(tx: WriteTx, payment_id: UUID, amount_minor: int) -> None:
    free = update(PaymentRow).where(PaymentRow.id == payment_id)
    await tx.execute(free.values(refunding_minor=PaymentRow.refunding_minor - amount_minor))


async def book_reserved_refund(tx: WriteTx, payment_id: UUID, amount_minor: int) -> None:
    """Move an amount from what is reserved to what was given back."""
    book = update(PaymentRow).where(PaymentRow.id == payment_id)
    refunding, refunded = PaymentRow.refunding_minor - amount_minor, PaymentRow.refunded_minor + amount_minor
    await tx.execute(book.values(refunding_minor=refunding, refunded_minor=refunded))


async def book_foreign_refund(tx: WriteTx, payment_id: UUID, amount_minor: int) -> bool:
    """Add a refund to what was given back. Return False when it does not fit beside what is reserved."""
    left = PaymentRow.refunded_minor + PaymentRow.refunding_minor + amount_minor <= PaymentRow.captured_minor
    book = update(PaymentRow).where(PaymentRow.id == payment_id, left)
    return await tx.execute(book.values(refunded_minor=PaymentRow.refunded_minor + amount_minor)) == 1


async def find_refund(tx: ReadTx, payment_id: UUID, key: str) -> RefundRecord | None:
    return await _find_refund(tx, RefundRow.payment_id == payment_id, RefundRow.key == key)


async def find_refund_by_id(tx: ReadTx, refund_id: UUID) -> RefundRecord | None:
    return await _find_refund(tx, RefundRow.id == refund_id)


async def find_open_refund(tx: ReadTx, payment_id: UUID) -> RefundRecord | None:
    """Return the oldest refund of the payment whose outcome is unknown."""
    return await _find_refund(tx, RefundRow.payment_id == payment_id, RefundRow.status == RefundStatus.STARTED.value)


async def start_refund(
    tx: WriteTx, payment_id: UUID, *, key: str, amount_minor: int, retried: RefundRecord | None
) -> RefundRecord:
    """Store a refund, or a new attempt of the failed one that has the same key."""
    refund = RefundRecord(
        id=uuid7() if retried is None else retried.id,
        payment_id=payment_id,
        status=RefundStatus.STARTED,
        amount_minor=amount_minor,
        attempt_key=uuid7(),
        is_key_expired=False,
    )
    row = {
        "id": refund.id,
        "payment_id": payment_id,
        "key": key,
        "status": refund.status.value,
        "amount_minor": amount_minor,
        "attempt_key": refund.attempt_key,
        "open_since": tx.now(),
    }
    await tx.upsert(
        RefundRow, [row], key=("payment_id", "key"), update=("status", "amount_minor", "attempt_key", "open_since")
    )
    await _log_attempt(
        tx, payment_id, kind=OperationKind.REFUND, key=refund.attempt_key, outcome=Outcome.STARTED, reason=None
    )
    return refund


async def succeed_refund(tx: WriteTx, refund_id: UUID, *, processor_refund_id: str) -> bool:
    """Note that a refund went through. Return False when it was closed already."""
    is_open = update(RefundRow).where(RefundRow.id == refund_id, RefundRow.status == RefundStatus.STARTED.value)
    done = {"status": RefundStatus.SUCCEEDED.value, "processor_refund_id": processor_refund_id}
    return await tx.execute(is_open.values(**done, succeeded_at=tx.now())) == 1


async def fail_refund(tx: WriteTx, refund_id: UUID, *, attempt_key: UUID) -> bool:
    """Note that an attempt of a refund was refused. Return False when it is no longer the current one."""
    is_open = and_(RefundRow.id == refund_id, RefundRow.status == RefundStatus.STARTED.value)
    is_current = and_(is_open, RefundRow.attempt_key == attempt_key)
    return await tx.execute(update(RefundRow).where(is_current).values(status=RefundStatus.FAILED.value)) == 1


async def list_refunds_made(tx: ReadTx, payment_id: UUID) -> list[RefundMade]:
    """Return the refunds of a payment that went through, the oldest first."""
    made = select(RefundRow.amount_minor, RefundRow.succeeded_at).where(
        RefundRow.payment_id == payment_id, RefundRow.status == RefundStatus.SUCCEEDED.value
    )
    rows = await tx.all(made.order_by(RefundRow.succeeded_at, RefundRow.id))
    return [RefundMade(amount_minor=row.amount_minor, refunded_at=row.succeeded_at) for row in rows]


async def is_refund_known(tx: ReadTx, processor_refund_id: str) -> bool:
    known = select(RefundRow.id).where(RefundRow.processor_refund_id == processor_refund_id)
    return await tx.one_or_none(known) is not None


async def insert_foreign_refund(tx: WriteTx, payment_id: UUID, *, processor_refund_id: str, amount_minor: int) -> None:
    """Store a refund that was made at the processor."""
    row = {
        "id": uuid7(),
        "payment_id": payment_id,
        "key": f"processor:{processor_refund_id}",
        "status": RefundStatus.SUCCEEDED.value,
        "amount_minor": amount_minor,
        "attempt_key": uuid7(),
        "open_since": tx.now(),
        "processor_refund_id": processor_refund_id,
        "succeeded_at": tx.now(),
    }
    await tx.insert_ignore(RefundRow, [row])


async def insert_event(tx: WriteTx, *, event_id: str, kind: str, intent_id: str | None) -> bool:
    """Store that an event has arrived. Return False when it had arrived before."""
    row = {"event_id": event_id, "kind": kind, "intent_id": intent_id, "now": tx.clock_shift}
    return await tx.execute(_event_insertion(tx.ops), row) == 1


@lru_cache(maxsize=2)
def _event_insertion(ops: SQLOps) -> Prepared:
    row: dict[str, Any] = {name: bindparam(name) for name in ("event_id", "kind", "intent_id")}
    received = {"received_at": ops.now(bindparam("now", type_=TimeShift()))}
    return Prepared(ops.insert(EventRow.__table__).values(row | received).on_conflict_do_nothing())


async def find_cursor(tx: ReadTx) -> str | None:
    cursor: str | None = await tx.scalar(select(CursorRow.event_id).where(CursorRow.name == _EVENTS))
    return cursor


async def set_cursor(tx: WriteTx, event_id: str) -> None:
    await tx.upsert(CursorRow, [{"name": _EVENTS, "event_id": event_id}], key=("name",), update=("event_id",))


async def list_open(tx: ReadTx, *, older_than: timedelta) -> list[UUID]:
    """Return the payments that have waited for the outcome of an operation for longer than that."""
    payments = select(PaymentRow.id).where(
        PaymentRow.open_since < tx.now(-older_than), PaymentRow.open_key.is_not(None)
    )
    refunds = select(RefundRow.payment_id).where(
        RefundRow.open_since < tx.now(-older_than), RefundRow.status == constant("started")
    )
    return [*await tx.scalars(payments), *await tx.scalars(refunds)]


async def list_lapsing(tx: ReadTx) -> list[UUID]:
    """Return the payments that were never captured and whose authorisation is about to lapse."""
    # Written into the statement as literals, in the order of the index, else SQLite does not match its condition.
    waiting = [constant(each.value) for each in LIVE if each is not PaymentStatus.CAPTURED]
    old = PaymentRow.created_at < tx.now(-AUTHORISATION_KEPT_FOR)
    return await tx.scalars(select(PaymentRow.id).where(PaymentRow.status.in_(waiting), old))


def _changing_columns(payment: PaymentRecord) -> dict[str, object]:
    return {
        "status": payment.status.value,
        "captured_minor": payment.captured_minor,
        "intent_id": payment.intent_id,
        "action_url": payment.action_url,
        "failure_code": payment.failure_code,
        "wants_release": payment.wants_release,
        "open_act": None if payment.open_kind is None else payment.open_kind.value,
        "open_key": payment.open_key,
        "card_brand": payment.card and payment.card.brand,
        "card_last4": payment.card and payment.card.last4,
    }


async def _log_start(tx: WriteTx, payment: PaymentRecord) -> None:
    if payment.open_kind is not None and payment.open_key is not None:
        kind, key = payment.open_kind, payment.open_key
        await _log_attempt(tx, payment.id, kind=kind, key=key, outcome=Outcome.STARTED, reason=None)


async def _log_attempt(
    tx: WriteTx, payment_id: UUID, *, kind: OperationKind, key: UUID, outcome: Outcome, reason: str | None
) -> None:
    entry = {"id": uuid7(), "payment_id": payment_id, "act": kind.value, "key": key, "outcome": outcome.value}
    await tx.insert_ignore(AttemptRow, [entry | {"reason": reason, "logged_at": tx.now()}])


class _Named(Enum):
    """How the parameters of a statement name a payment."""

    BY_ID = "id"
    BY_REFERENCE = "reference"
    BY_ID_OR_INTENT = "id or intent"


_CONDITIONS: Final = {
    _Named.BY_ID: PaymentRow.id == bindparam("payment"),
    _Named.BY_REFERENCE: PaymentRow.reference_id == bindparam("reference"),
    _Named.BY_ID_OR_INTENT: or_(PaymentRow.id == bindparam("payment"), PaymentRow.intent_id == bindparam("intent")),
}


async def _find(tx: ReadTx, named: _Named, **values: UUID) -> PaymentRecord | None:
    rows = await tx.all(_newest(tx.ops, named), {**values, "now": tx.clock_shift})
    return next(iter(_read_payments(rows)), None)


async def _lock(tx: WriteTx, named: _Named, **values: UUID | str | None) -> PaymentRecord | None:
    rows = await tx.all(_newest_locked(tx.ops, named), {**values, "now": tx.clock_shift})
    return next(iter(_read_payments(rows)), None)


@lru_cache(maxsize=6)  # of each name, for each dialect
def _newest(ops: SQLOps, named: _Named) -> Prepared:
    return Prepared(_select_newest(ops, named))


@lru_cache(maxsize=6)
def _newest_locked(ops: SQLOps, named: _Named) -> Prepared:
    return Prepared(ops.lock_rows(_select_newest(ops, named)))


def _select_newest(ops: SQLOps, named: _Named) -> Select[Any]:
    return _select_payments(ops).where(_CONDITIONS[named]).order_by(_NEWEST_FIRST).limit(1)


def _select_payments(ops: SQLOps) -> Select[Any]:
    first_replayable = ops.later(ops.now(bindparam("now", type_=TimeShift())), by=-REPLAY_KEY_FOR)
    return select(*_COLUMNS, (PaymentRow.open_since < first_replayable).label("is_key_expired"))


def _require(payment: PaymentRecord | None, payment_id: UUID) -> PaymentRecord:
    if payment is None:
        raise PaymentNotFound(f"There is no payment {payment_id}.")
    return payment


async def _find_refund(tx: ReadTx, *conditions: ColumnElement[bool]) -> RefundRecord | None:
    is_key_expired = (RefundRow.open_since < tx.now(-REPLAY_KEY_FOR)).label("is_key_expired")
    found = select(*RefundRow.__table__.columns, is_key_expired).where(*conditions).order_by(RefundRow.id).limit(1)
    row = await tx.one_or_none(found)
    return None if row is None else _to_refund(row, is_key_expired=row.is_key_expired)


def _read_payments(rows: Iterable[Row[*tuple[object, ...]]]) -> list[PaymentRecord]:
    # A row has the attributes of the class whose columns were selected, so mypy checks each of them.
    return [_to_payment(cast("PaymentRow", row), is_key_expired=bool(row.is_key_expired)) for row in rows]


def _read_or_refuse(row: Row[*tuple[object, ...]]) -> PaymentRecord | ValueError:
    try:
        return _read_payments([row])[0]
    except ValueError as error:
        return error


def _to_payment(row: PaymentRow, *, is_key_expired: bool) -> PaymentRecord:
    return PaymentRecord(
        id=row.id,
        reference_id=row.reference_id,
        status=PaymentStatus(row.status),
        amount_minor=row.amount_minor,
        captured_minor=row.captured_minor,
        refunding_minor=row.refunding_minor,
        refunded_minor=row.refunded_minor,
        currency=row.currency,
        payment_method=row.payment_method,
        return_url=row.return_url,
        intent_id=row.intent_id,
        action_url=row.action_url,
        failure_code=row.failure_code,
        wants_release=row.wants_release,
        open_kind=None if row.open_act is None else OperationKind(row.open_act),
        open_key=row.open_key,
        is_key_expired=is_key_expired,
        created_at=row.created_at,
        captured_at=row.captured_at,
        card=PaidCard(brand=row.card_brand, last4=row.card_last4) if row.card_brand and row.card_last4 else None,
    )


def _to_refund(row: RefundRow, *, is_key_expired: bool) -> RefundRecord:
    return RefundRecord(
        id=row.id,
        payment_id=row.payment_id,
        status=RefundStatus(row.status),
        amount_minor=row.amount_minor,
        attempt_key=row.attempt_key,
        is_key_expired=is_key_expired,
    )
