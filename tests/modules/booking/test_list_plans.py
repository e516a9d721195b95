"""Pages of bookings and the holds of one customer are read from an index, whatever others have booked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from fairground.contracts.booking import BookingStatus
from fairground.kernel.ids import uuid7
from fairground.kernel.paging import TimeCursor
from fairground.modules.booking.domain.machine import Actor
from fairground.modules.booking.store import booking_lists, bookings
from fairground.platform.db.database import Database
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of, without_scans

pytestmark = pytest.mark.anyio

HOLDS_INDEX = "ix_booking_booking__customer_id_status_starts_at_id"


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database of our own, because an index is dropped."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    yield db
    await db.close()


async def _plan_of_holds(db: Database) -> str:
    with statements_of(db) as statements:
        async with db.read() as tx:
            await bookings.list_live_holds(tx, customer_id=uuid7())
    return explain(db, statements[-1], preparing=without_scans(db))


async def test_live_holds_of_a_customer_are_found_by_customer_and_status(own_db: Database) -> None:
    plan = await _plan_of_holds(own_db)
    assert HOLDS_INDEX in plan
    assert "expires_at" not in plan.partition("Filter")[0].replace("booking_allocation.expires_at", "")


async def test_without_the_index_the_plan_of_holds_is_another(own_db: Database) -> None:
    engine = own_db.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {HOLDS_INDEX}"))
    engine.dispose()
    assert HOLDS_INDEX not in await _plan_of_holds(own_db)


@pytest.mark.parametrize("side", [Actor.CUSTOMER, Actor.PROVIDER, None])
@pytest.mark.parametrize("status", [None, BookingStatus.REQUESTED])
@pytest.mark.parametrize("is_behind", [False, True])
async def test_page_of_bookings_sorts_nothing_and_reads_only_indexes(
    db: Database, side: Actor | None, status: BookingStatus | None, is_behind: bool
) -> None:
    after = TimeCursor(at=datetime.now(UTC), id=uuid7()) if is_behind else None
    with statements_of(db) as statements:
        async with db.read() as tx:
            await booking_lists.list_page(
                tx, user_id=uuid7(), side=side, status=status, after=after, offset=0, limit=20
            )
            await booking_lists.count_up_to(tx, user_id=uuid7(), side=side, status=status, most=10_001)
    page, count = (each for each in statements if "booking_booking" in each[0])
    columns = {Actor.CUSTOMER: ["customer_id"], Actor.PROVIDER: ["provider_owner_id"]}.get(
        side or Actor.SYSTEM, ["customer_id", "provider_owner_id"]
    )
    for statement in (page, count):
        plan = explain(db, statement, preparing=without_scans(db))
        assert not {word for word in ("Sort", "B-TREE", "Seq Scan", "SCAN booking_booking") if word in plan}, plan
        for column in columns:
            assert f"ix_booking_booking__{column}_" in plan, plan
    plan = explain(db, page, preparing=without_scans(db))
    kind = "_status_starts_at_id" if status else "_starts_at_id"
    assert all(f"ix_booking_booking__{column}{kind}" in plan for column in columns), plan
