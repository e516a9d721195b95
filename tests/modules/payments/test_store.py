"""The sweeps of payments use their indexes, and one broken row does not stop them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text

from fairground.contracts.payments import Payment, PaymentStatus
from fairground.kernel.ids import uuid7
from fairground.modules.payments import store
from fairground.modules.payments.service.reconciliation import Reconcile
from fairground.modules.payments.tables import PaymentRow, RefundRow
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs.outbox import Routes
from tests.modules.payments.market import AMOUNT, Market
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of

PAID = 3_000


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database whose constraints may be broken, for no other test sees it."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    yield db
    await db.close()


async def _fill(db: Database) -> None:
    """Write down thousands of payments that were taken, and none that waits."""
    async with db.write() as tx:
        now = await tx.current_time()
        ids = [uuid7() for _ in range(PAID)]
        paid = {
            "payer_id": uuid4(), "status": "captured", "amount_minor": AMOUNT, "captured_minor": AMOUNT,
            "refunding_minor": 0, "refunded_minor": 100, "currency": "EUR", "payment_method": "pm_card_visa",
            "return_url": "http://shop.test", "wants_release": False, "created_at": now - timedelta(days=30),
        }  # fmt: skip
        rows = [paid | {"id": each, "reference_id": uuid4(), "intent_id": f"pi_{each.hex}"} for each in ids]
        await tx.execute(insert(PaymentRow), rows)
        refund = {"key": "part", "status": "succeeded", "amount_minor": 100, "open_since": now - timedelta(days=30)}
        refunds = [refund | {"id": uuid7(), "payment_id": each, "attempt_key": uuid7()} for each in ids]
        await tx.execute(insert(RefundRow), refunds)
    engine = db.backend.migration_engine()
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    engine.dispose()


async def test_sweeps_of_payments_are_answered_by_their_partial_indexes(db: Database) -> None:
    await _fill(db)
    with statements_of(db) as sent:
        async with db.read() as tx:
            assert await store.list_lapsing(tx) == []
            assert await store.list_open(tx, older_than=timedelta(minutes=1)) == []
    asked = [statement for statement in sent if "FROM payments_" in statement[0]]
    indexes = ("ix_payments_payment__unfinished", "ix_payments_payment__open", "ix_payments_refund__open")
    assert len(asked) == len(indexes)
    for statement, index in zip(asked, indexes, strict=True):
        plan = explain(db, statement)
        # SQLite may prefer the index of the list of staff, which has the status as well.
        assert index in plan or "ix_payments_payment__status_created_at_id" in plan, plan
        assert "SCAN payments_" not in plan, plan
        assert "Seq Scan" not in plan, plan


async def test_broken_payment_does_not_stop_the_sweep(own_db: Database, tmp_path: Path) -> None:
    market = Market(own_db, Routes(), tmp_path)
    first, second = await market.authorise(uuid4()), await market.authorise(uuid4())
    async with own_db.write() as tx:
        await _break(tx, first.id)
    market.move(timedelta(days=6, minutes=1))
    await market.reconciliation.run(Reconcile())
    assert (await _known(market, second)).is_being_released
    assert not (await _known(market, first)).is_being_released
    await market.payments.release(reference_id=second.reference_id)
    assert (await _known(market, second)).status is PaymentStatus.VOIDED
    await market.close()


async def _break(tx: WriteTx, payment_id: UUID) -> None:
    """Leave a row that the database lets nothing change, as one that an older schema allowed may be."""
    if tx.ops.name == "sqlite":
        condition = f"OLD.id = x'{payment_id.hex}' OR OLD.id = '{payment_id.hex}' OR OLD.id = '{payment_id}'"
        refuse = "BEGIN SELECT RAISE(ABORT, 'broken row'); END"
        await tx.execute(text(f"CREATE TRIGGER broken BEFORE UPDATE ON payments_payment WHEN {condition} {refuse}"))
        return
    name = "ck_payments_payment__captured"
    await tx.execute(text(f"ALTER TABLE payments_payment DROP CONSTRAINT {name}"))
    await tx.execute(text("UPDATE payments_payment SET captured_minor = 99999 WHERE id = :id"), [{"id": payment_id}])
    check = "CHECK (captured_minor BETWEEN 0 AND amount_minor) NOT VALID"
    await tx.execute(text(f"ALTER TABLE payments_payment ADD CONSTRAINT {name} {check}"))


async def _known(market: Market, payment: Payment) -> Payment:
    known = await market.payments.find_payment(reference_id=payment.reference_id)
    assert known is not None
    return known
