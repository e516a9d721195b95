"""The revisions lead to the tables of the code, with the guard on them, and a start without it is refused."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from anyio import to_thread
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.tables import BookingRow, ChangeRow
from fairground.modules.booking.tables import history
from fairground.modules.booking.time.store.allocations import attempts_to_break_the_guard
from fairground.modules.booking.time.tables import ALLOCATION_GUARD
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.guards import GuardError
from fairground.platform.db.history import restore_guards
from fairground.platform.db.migrate import find_drift, upgrade
from fairground.platform.db.probes import prove_guard
from tests.modules.booking.rig import Rig
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database of our own, because a guard that is dropped would be missed by others."""
    db = Database(database_url, outbox=RecordingOutbox())
    migrate(db)
    yield db
    await db.close()


def migrate(db: Database) -> None:
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
    engine.dispose()


def mend(db: Database) -> None:
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        restore_guards(connection, [history])
    engine.dispose()


def drop_guard(db: Database) -> None:
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        ALLOCATION_GUARD.drop(connection)
    engine.dispose()


async def prove(db: Database) -> None:
    async with db.read() as tx:
        now = await tx.current_time()
    await prove_guard(db, guard=ALLOCATION_GUARD, attempts=attempts_to_break_the_guard(now))


async def test_the_revisions_lead_to_the_tables(own_db: Database) -> None:
    engine = own_db.backend.migration_engine()
    with engine.connect() as connection:
        assert find_drift(connection, [history]) == []
    engine.dispose()


async def test_dropped_guard_is_noticed_and_restored_only_on_request(own_db: Database) -> None:
    await prove(own_db)
    await to_thread.run_sync(drop_guard, own_db)
    with pytest.raises(GuardError, match="fairground db upgrade"):
        await prove(own_db)
    await to_thread.run_sync(migrate, own_db)
    with pytest.raises(GuardError, match="lost its guard"):
        await prove(own_db)
    await to_thread.run_sync(mend, own_db)
    await prove(own_db)


@pytest.mark.parametrize("change", ["UPDATE booking_change SET actor = 'system'", "DELETE FROM booking_change"])
async def test_the_log_of_changes_cannot_be_rewritten(rig: Rig, change: str) -> None:
    await rig.hold(await rig.offer())
    with pytest.raises(DBAPIError, match="append-only"):
        async with rig.db.write() as tx:
            await tx.execute(text(change))


async def test_bookings_of_before_keep_their_total_as_their_price_and_learn_when_they_were_confirmed(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "versions").mkdir()
    shutil.copy(history.versions / "1000_booking.py", tmp_path / "versions")
    confirmed_at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    confirmed, held = (_row_of_before(was_confirmed=was_confirmed) for was_confirmed in (True, False))
    log = {"booking_id": confirmed["id"], "version": 2, "actor": "customer", "from_status": "held"}

    def migrate_with_rows() -> dict[object, tuple[int, str, datetime | None]]:
        db = Database(database_url, outbox=RecordingOutbox())
        engine = db.backend.migration_engine()
        with engine.begin() as connection:
            upgrade(connection, [replace(history, folder=tmp_path)])
            connection.execute(insert(BookingRow), [confirmed, held])
            connection.execute(insert(ChangeRow), [log | {"to_status": "confirmed", "changed_at": confirmed_at}])
        with engine.begin() as connection:
            upgrade(connection, [history])
            rows = connection.execute(
                select(BookingRow.id, BookingRow.price_minor, BookingRow.price_model, BookingRow.confirmed_at)
            ).all()
        engine.dispose()
        return {row.id: (row.price_minor, row.price_model, row.confirmed_at) for row in rows}

    assert await to_thread.run_sync(migrate_with_rows) == {
        confirmed["id"]: (4_200, "booking", confirmed_at),
        held["id"]: (4_200, "booking", None),
    }


def _row_of_before(*, was_confirmed: bool) -> dict[str, object]:
    at = datetime(2026, 5, 4, 10, tzinfo=UTC)
    return {
        "id": uuid7(),
        "version": 2 if was_confirmed else 1,
        "status": "confirmed" if was_confirmed else "held",
        "booking_mode": "instant",
        **{name: uuid7() for name in ("customer_id", "provider_id", "provider_owner_id", "service_id")},
        **dict.fromkeys(("provider_name", "provider_slug", "service_name", "vertical"), "ada"),
        "starts_at": at,
        "ends_at": at + timedelta(hours=1),
        "timezone": "UTC",
        "starts_wall": "2026-05-04T10:00",
        "starts_fold": 0,
        "total_minor": 4_200,
        "currency": "EUR",
        "cancellation": {"steps": []},
        "answer_due_hours": 24,
        "was_confirmed": was_confirmed,
        "created_at": at,
        "changed_at": at,
    }
