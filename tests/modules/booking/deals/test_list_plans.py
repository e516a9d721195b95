"""Pages of bookings and the holds of one customer are read from an index, whatever others have booked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from fairground.contracts.booking import BookingStatus, EndedHolds
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.store import customers, staff
from fairground.platform.db.database import Database
from tests.support.booking_rows import add_requests, analyze
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of

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
            await customers.count_live_holds(tx, customer_id=uuid7())
    return explain(db, statements[-1])


async def test_live_holds_of_a_customer_are_found_by_customer_and_status(own_db: Database) -> None:
    await add_requests(own_db, count=2_000)
    analyze(own_db)
    plan = await _plan_of_holds(own_db)
    assert HOLDS_INDEX in plan
    assert "state_expires_at" not in plan


async def test_without_the_index_the_plan_of_holds_is_another(own_db: Database) -> None:
    await add_requests(own_db, count=2_000)
    analyze(own_db)
    engine = own_db.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {HOLDS_INDEX}"))
    engine.dispose()
    assert HOLDS_INDEX not in await _plan_of_holds(own_db)


async def test_bookings_of_a_calendar_are_read_from_the_index_of_their_owner(own_db: Database) -> None:
    await add_requests(own_db, count=2_000)
    analyze(own_db)
    now = datetime(2026, 11, 30, tzinfo=UTC)
    with statements_of(own_db) as statements:
        async with own_db.read() as tx:
            await store.list_between(tx, owner_id=uuid7(), starts_at=now, ends_at=now + timedelta(days=42), limit=501)
    plan = explain(own_db, statements[-1])
    assert "ix_booking_booking__provider_owner_id_starts_at_id" in plan


CASES = [
    (side, status, is_behind)
    for side in (Actor.CUSTOMER, Actor.PROVIDER, None)
    for status in (None, BookingStatus.REQUESTED)
    for is_behind in (False, True)
]


async def test_pages_of_bookings_sort_nothing_and_read_only_indexes(own_db: Database) -> None:
    user_id, others = uuid7(), [uuid7() for _ in range(4)]
    await add_requests(
        own_db,
        count=4_000,
        customers=[user_id, *others],
        owners=[others[0], user_id, *others[1:]],
        statuses=[BookingStatus.REQUESTED, *[BookingStatus.CONFIRMED] * 6],
    )
    analyze(own_db)
    for side, status, is_behind in CASES:
        after = TimeCursor(at=datetime.now(UTC) + timedelta(days=5), id=uuid7()) if is_behind else None
        with statements_of(own_db) as statements:
            async with own_db.read() as tx:
                shown = await store.list_page(
                    tx, user_id=user_id, side=side, status=status, after=after, offset=0, limit=20
                )
                await store.count_up_to(tx, user_id=user_id, side=side, status=status, most=10_001)
        assert len(shown) == 20
        # SQLite starts a long read again in a thread, so it may be seen twice.
        page, count = statements[0], statements[-1]
        columns = {Actor.CUSTOMER: ["customer_id"], Actor.PROVIDER: ["provider_owner_id"]}.get(
            side or Actor.SYSTEM, ["customer_id", "provider_owner_id"]
        )
        # A fifth of all rows are the user's: PostgreSQL rightly counts so many without the index, and sorts both sides.
        is_sqlite = own_db.backend.ops.name == "sqlite"
        judged = [page, count] if is_sqlite else [page] if side else []
        for statement in judged:
            plan = explain(own_db, statement)
            assert not {word for word in ("Sort  (", "B-TREE", "Seq Scan", "SCAN booking_booking") if word in plan}, (
                plan
            )
        for statement in judged:
            plan = explain(own_db, statement)
            assert all(f"ix_booking_booking__{column}_" in plan for column in columns), plan
        if not is_sqlite and side is None:
            continue
        kind = "_status_starts_at_id" if status else "_starts_at_id"
        plan = explain(own_db, page)
        assert all(f"ix_booking_booking__{column}{kind}" in plan for column in columns), plan


async def test_lists_of_staff_read_ranges_of_indexes_and_sort_one_page(own_db: Database) -> None:
    user_id = uuid7()
    await add_requests(
        own_db, count=4_000, customers=[user_id, *(uuid7() for _ in range(400))], statuses=list(BookingStatus)
    )
    analyze(own_db)
    cases: list[tuple[list[UUID] | None, BookingStatus | None, str]] = [
        (None, BookingStatus.CONFIRMED, "ix_booking_booking__settled"),
        ([user_id], None, "ix_booking_booking__customer_id_"),
        ([user_id], BookingStatus.CONFIRMED, "ix_booking_booking__customer_id_status_starts_at_id"),
    ]
    for user_ids, status, index in cases:
        with statements_of(own_db) as statements:
            async with own_db.read() as tx:
                await staff.search(
                    tx, user_ids=user_ids, status=status, from_at=None, before_at=None, after=None, limit=20
                )
        plan = explain(own_db, next(each for each in statements if "LIMIT" in str(each)))
        assert index in plan, plan
        assert "Seq Scan on booking_booking" not in plan
        assert "SCAN booking_booking" not in plan


@pytest.mark.parametrize("ended_holds", [EndedHolds.LEFT_OUT, EndedHolds.ALONE])
async def test_page_by_ended_holds_follows_the_index_of_all(own_db: Database, ended_holds: EndedHolds) -> None:
    user_id, others = uuid7(), [uuid7() for _ in range(9)]
    statuses = [BookingStatus.CONFIRMED, BookingStatus.CANCELLED]
    await add_requests(own_db, count=4_000, customers=[user_id, *others], statuses=statuses)
    analyze(own_db)
    with statements_of(own_db) as statements:
        async with own_db.read() as tx:
            await store.list_page(
                tx,
                user_id=user_id,
                side=Actor.CUSTOMER,
                status=None,
                ended_holds=ended_holds,
                after=None,
                offset=0,
                limit=20,
            )
    plan = explain(own_db, statements[0])
    assert "ix_booking_booking__customer_id_" in plan
    assert not {word for word in ("Sort  (", "B-TREE", "Seq Scan", "SCAN booking_booking") if word in plan}, plan
