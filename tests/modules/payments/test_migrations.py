"""Rows from before a revision say after it what they said before, and what the log of operations knows."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select

from fairground.modules.payments.tables import AttemptRow, PaymentRow, RefundRow, history
from fairground.platform.db.database import Database
from fairground.platform.db.migrate import upgrade
from tests.support.outbox import RecordingOutbox

PAID_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def insert_payment(connection: Connection, *, status: str, captured_minor: int) -> UUID:
    payment_id = uuid4()
    row: dict[str, Any] = {
        "id": payment_id, "reference_id": uuid4(), "payer_id": uuid4(), "status": status, "amount_minor": 900,
        "captured_minor": captured_minor, "refunding_minor": 0, "refunded_minor": 0, "currency": "EUR",
        "payment_method": "pm_card_visa", "return_url": "http://shop.test", "wants_release": False,
        "created_at": PAID_AT - timedelta(days=1),
    }  # fmt: skip
    connection.execute(insert(PaymentRow).values(**row))
    return payment_id


def test_payments_from_before_receipts_have_their_times(database_url: str, tmp_path: Path) -> None:
    older = replace(history, folder=tmp_path)
    older.versions.mkdir()
    shutil.copy(history.versions / "1000_payments.py", older.versions)
    engine = Database(database_url, outbox=RecordingOutbox()).backend.migration_engine()
    with engine.begin() as connection:
        assert upgrade(connection, [older]) == ["payments"]
        logged = insert_payment(connection, status="captured", captured_minor=900)
        unlogged = insert_payment(connection, status="captured", captured_minor=900)
        reserved = insert_payment(connection, status="authorised", captured_minor=0)
        attempt = {"act": "capture", "outcome": "succeeded", "key": uuid4(), "logged_at": PAID_AT}
        connection.execute(insert(AttemptRow).values(id=uuid4(), payment_id=logged, **attempt))
        refund = {"key": "a", "status": "succeeded", "amount_minor": 1, "attempt_key": uuid4(), "open_since": PAID_AT}
        connection.execute(insert(RefundRow).values(id=uuid4(), payment_id=logged, **refund))
    with engine.begin() as connection:
        assert upgrade(connection, [history]) == ["payments"]
        rows = connection.execute(select(PaymentRow.id, PaymentRow.captured_at)).all()
        assert {row.id: row.captured_at for row in rows} == {
            logged: PAID_AT,
            unlogged: PAID_AT - timedelta(days=1),
            reserved: None,
        }
        assert connection.execute(select(RefundRow.succeeded_at)).scalar_one() == PAID_AT
    engine.dispose()
