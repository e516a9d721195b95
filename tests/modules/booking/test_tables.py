"""The revisions lead to the tables of the code, with the guard on them, and a start without it is refused."""

from collections.abc import AsyncIterator

import pytest
from anyio import to_thread
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

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
    with pytest.raises(GuardError, match="lost its protection"):
        await prove(own_db)
    await to_thread.run_sync(mend, own_db)
    await prove(own_db)


@pytest.mark.parametrize("change", ["UPDATE booking_change SET actor = 'system'", "DELETE FROM booking_change"])
async def test_the_log_of_changes_cannot_be_rewritten(rig: Rig, change: str) -> None:
    await rig.hold(await rig.offer())
    with pytest.raises(DBAPIError, match="append-only"):
        async with rig.db.write() as tx:
            await tx.execute(text(change))
