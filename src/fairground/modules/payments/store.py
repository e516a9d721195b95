"""Every SQL statement of payments."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, literal, or_, select, update

from fairground.contracts.payments import Payment, PaymentStatus
from fairground.kernel.ids import uuid7
from fairground.modules.payments.domain import AUTHORISATION_KEPT_FOR, LIVE, REPLAY_KEY_FOR, Act, Outcome
from fairground.modules.payments.tables import AttemptRow, CursorRow, EventRow, PaymentRow, RefundRow
from fairground.platform.db.database import ReadTx, WriteTx

_EVENTS = "events"


def to_payment(row: Any) -> Payment:
    values = {name: getattr(row, name) for name in Payment.model_fields if name != "is_being_released"}
    left_minor = row.captured_minor - row.refunded_minor
    is_live = row.status in LIVE and (row.status != PaymentStatus.CAPTURED or left_minor > 0)
    return Payment.model_validate(values | {"is_being_released": row.wants_release and is_live})


async def insert_payment(tx: WriteTx, values: dict[str, Any]) -> bool:
    """Insert a payment whose creation is open. Return False when the reference has a live one already."""
    now = await tx.current_time()
    started = {
        "status": PaymentStatus.STARTED.value,
        "captured_minor": 0,
        "refunding_minor": 0,
        "refunded_minor": 0,
        "wants_release": False,
        "open_act": Act.CREATE.value,
        "open_since": now,
        "created_at": now,
    }
    return await tx.insert_ignore(PaymentRow, [values | started]) == 1


async def get_payment(tx: ReadTx, payment_id: UUID) -> Any:
    return await tx.one_or_none(_payments(tx).where(PaymentRow.id == payment_id))


async def lock_payment(tx: WriteTx, payment_id: UUID) -> Any:
    """Return the row, which nobody else changes until this transaction ends, or None."""
    rows = await tx.lock(_payments(tx).where(PaymentRow.id == payment_id))
    return rows[0] if rows else None


async def find_newest(tx: ReadTx, reference_id: UUID) -> Any:
    # By the database's clock: ids are made by many processes, and a live payment is always the last one begun.
    newest = (
        _payments(tx).where(PaymentRow.reference_id == reference_id).order_by(PaymentRow.created_at.desc()).limit(1)
    )
    return await tx.one_or_none(newest)


async def list_oldest_first(tx: ReadTx, reference_ids: Collection[UUID]) -> Sequence[Any]:
    """Return every payment of the references."""
    return await tx.all(_payments(tx).where(PaymentRow.reference_id.in_(reference_ids)).order_by(PaymentRow.created_at))


async def find_payment_id(tx: ReadTx, *, payment_id: UUID | None, intent_id: str) -> UUID | None:
    """Return the payment that was made under this id, or that has this intent."""
    named = or_(PaymentRow.id == payment_id, PaymentRow.intent_id == intent_id)
    found: UUID | None = await tx.scalar(select(PaymentRow.id).where(named))
    return found


async def change_payment(tx: WriteTx, payment_id: UUID, **changes: Any) -> None:
    await tx.execute(update(PaymentRow).where(PaymentRow.id == payment_id).values(**changes))


async def open_act(tx: WriteTx, payment_id: UUID, act: Act) -> None:
    """Write down what the processor is going to be asked, and under which key."""
    key = uuid7()
    await change_payment(tx, payment_id, open_act=act.value, open_key=key, open_since=tx.now())
    await log_attempt(tx, payment_id, act=act, key=key, outcome=Outcome.STARTED)


async def close_act(tx: WriteTx, payment_id: UUID, key: UUID) -> bool:
    """Say that the outcome is known. Return False when somebody else has said so already."""
    mine = update(PaymentRow).where(PaymentRow.id == payment_id, PaymentRow.open_key == key)
    return await tx.execute(mine.values(open_act=None, open_key=None, open_since=None)) == 1


async def log_attempt(
    tx: WriteTx, payment_id: UUID, *, act: Act, key: UUID, outcome: Outcome, reason: str | None = None
) -> None:
    entry = {"id": uuid7(), "payment_id": payment_id, "act": act.value, "key": key, "outcome": outcome.value}
    await tx.insert_ignore(AttemptRow, [entry | {"reason": reason, "logged_at": await tx.current_time()}])


async def reserve_refund(tx: WriteTx, payment_id: UUID, amount_minor: int) -> bool:
    """Set the amount aside. Return False when less than that is left: the database decides, not what we have read."""
    left = PaymentRow.refunded_minor + PaymentRow.refunding_minor + amount_minor <= PaymentRow.captured_minor
    reserve = update(PaymentRow).where(PaymentRow.id == payment_id, left)
    return await tx.execute(reserve.values(refunding_minor=PaymentRow.refunding_minor + amount_minor)) == 1


async def release_reservation(tx: WriteTx, payment_id: UUID, amount_minor: int) -> None:
    free = update(PaymentRow).where(PaymentRow.id == payment_id)
    await tx.execute(free.values(refunding_minor=PaymentRow.refunding_minor - amount_minor))


async def book_refund(tx: WriteTx, payment_id: UUID, amount_minor: int) -> bool:
    """Add a refund to what was given back. Return False when it does not fit beside what is reserved."""
    left = PaymentRow.refunded_minor + PaymentRow.refunding_minor + amount_minor <= PaymentRow.captured_minor
    book = update(PaymentRow).where(PaymentRow.id == payment_id, left)
    return await tx.execute(book.values(refunded_minor=PaymentRow.refunded_minor + amount_minor)) == 1


async def find_refund(tx: ReadTx, payment_id: UUID, key: str) -> Any:
    return await tx.one_or_none(_refunds(tx).where(RefundRow.payment_id == payment_id, RefundRow.key == key))


async def get_refund(tx: ReadTx, refund_id: UUID) -> Any:
    return await tx.one_or_none(_refunds(tx).where(RefundRow.id == refund_id))


async def find_open_refund(tx: ReadTx, payment_id: UUID) -> Any:
    """Return the oldest refund of the payment whose outcome is not known."""
    is_open = and_(RefundRow.payment_id == payment_id, RefundRow.status == "started")
    return await tx.one_or_none(_refunds(tx).where(is_open).order_by(RefundRow.id).limit(1))


async def start_refund(tx: WriteTx, *, payment_id: UUID, key: str, amount_minor: int) -> UUID:
    """Write a refund down, or a failed one of the same key anew, and return its id."""
    attempt_key = uuid7()
    row = {
        "id": uuid7(),
        "payment_id": payment_id,
        "key": key,
        "status": "started",
        "amount_minor": amount_minor,
        "attempt_key": attempt_key,
        "open_since": await tx.current_time(),
    }
    retried = ("status", "amount_minor", "attempt_key", "open_since")
    await tx.upsert(RefundRow, [row], key=("payment_id", "key"), update=retried)
    await log_attempt(tx, payment_id, act=Act.REFUND, key=attempt_key, outcome=Outcome.STARTED)
    refund = await find_refund(tx, payment_id, key)
    refund_id: UUID = refund.id
    return refund_id


async def succeed_refund(tx: WriteTx, refund_id: UUID, *, processor_refund_id: str) -> bool:
    """Say that a refund went through. Return False when it was closed already."""
    is_open = update(RefundRow).where(RefundRow.id == refund_id, RefundRow.status == "started")
    return await tx.execute(is_open.values(status="succeeded", processor_refund_id=processor_refund_id)) == 1


async def fail_refund(tx: WriteTx, refund_id: UUID, *, attempt_key: UUID) -> bool:
    """Say that a try of a refund was refused. Return False when it is not the current one any more."""
    is_current = and_(RefundRow.id == refund_id, RefundRow.status == "started", RefundRow.attempt_key == attempt_key)
    return await tx.execute(update(RefundRow).where(is_current).values(status="failed")) == 1


async def is_refund_known(tx: ReadTx, processor_refund_id: str) -> bool:
    known = select(RefundRow.id).where(RefundRow.processor_refund_id == processor_refund_id)
    return await tx.one_or_none(known) is not None


async def insert_foreign_refund(tx: WriteTx, payment_id: UUID, *, processor_refund_id: str, amount_minor: int) -> None:
    """Write down a refund that somebody made at the processor."""
    row = {
        "id": uuid7(),
        "payment_id": payment_id,
        "key": f"processor:{processor_refund_id}",
        "status": "succeeded",
        "amount_minor": amount_minor,
        "attempt_key": uuid7(),
        "open_since": await tx.current_time(),
        "processor_refund_id": processor_refund_id,
    }
    await tx.insert_ignore(RefundRow, [row])


async def insert_events(tx: WriteTx, events: Sequence[dict[str, Any]]) -> list[str]:
    """Write down which events have arrived and return the ids of those that had not before."""
    now = await tx.current_time()
    return [
        str(event["event_id"]) for event in events if await tx.insert_ignore(EventRow, [event | {"received_at": now}])
    ]


async def find_cursor(tx: ReadTx) -> str | None:
    cursor: str | None = await tx.scalar(select(CursorRow.event_id).where(CursorRow.name == _EVENTS))
    return cursor


async def set_cursor(tx: WriteTx, event_id: str) -> None:
    await tx.upsert(CursorRow, [{"name": _EVENTS, "event_id": event_id}], key=("name",), update=("event_id",))


async def list_open(tx: ReadTx, *, older_than: timedelta) -> list[UUID]:
    """Return the payments that wait for the outcome of an act or a refund for longer than that."""
    acts = select(PaymentRow.id).where(PaymentRow.open_since < tx.now(-older_than), PaymentRow.open_key.is_not(None))
    refunds = select(RefundRow.payment_id).where(
        RefundRow.open_since < tx.now(-older_than), RefundRow.status == literal("started", literal_execute=True)
    )
    return [*await tx.scalars(acts), *await tx.scalars(refunds)]


async def list_lapsing(tx: ReadTx) -> list[UUID]:
    """Return the payments that were never captured and whose authorisation is about to lapse."""
    # Written into the statement as literals, in the order of the index, else SQLite does not match its condition.
    waiting = [literal(each.value, literal_execute=True) for each in LIVE if each is not PaymentStatus.CAPTURED]
    old = PaymentRow.created_at < tx.now(-AUTHORISATION_KEPT_FOR)
    return await tx.scalars(select(PaymentRow.id).where(PaymentRow.status.in_(waiting), old))


async def list_attempts(tx: ReadTx, payment_id: UUID) -> Sequence[Any]:
    return await tx.all(
        select(AttemptRow.act, AttemptRow.outcome, AttemptRow.reason, AttemptRow.key)
        .where(AttemptRow.payment_id == payment_id)
        .order_by(AttemptRow.id)
    )


def _payments(tx: ReadTx) -> Any:
    is_spent = (PaymentRow.open_since < tx.now(-REPLAY_KEY_FOR)).label("is_key_spent")
    return select(*PaymentRow.__table__.columns, is_spent)


def _refunds(tx: ReadTx) -> Any:
    is_spent = (RefundRow.open_since < tx.now(-REPLAY_KEY_FOR)).label("is_key_spent")
    return select(*RefundRow.__table__.columns, is_spent)
