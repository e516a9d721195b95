"""A notification is stored once, and only its user lists it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
from fairground.modules.notifications.domain import NotificationRecord
from fairground.modules.notifications.service import NotificationService
from fairground.modules.notifications.tables import NotificationRow
from fairground.platform.db.database import Database
from tests.modules.notifications.rig import Rig
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of, without_scans

pytestmark = pytest.mark.anyio


async def test_list_is_newest_first_and_at_most_as_long_as_its_limit(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    await rig.bookings.accept(owner_id=rig.owner.id, booking_id=booking.id)
    await rig.work()
    topics = [each.topic for each in await rig.listed(rig.customer)]
    assert topics == ["booking.confirmed.v1", "booking.requested.v1"]
    (newest,) = (await rig.notifications.list_notifications(user_id=rig.customer.id, limit=1)).data
    assert newest.topic == "booking.confirmed.v1"
    assert (newest.subject_id, newest.link) == (booking.id, f"/me/bookings/{booking.id}")
    assert newest.read_at is None


async def test_user_marks_only_their_own_notifications_as_read(rig: Rig) -> None:
    for _ in range(2):
        await rig.request()
        await rig.work()
    newest, older = await rig.listed(rig.customer)
    await rig.notifications.mark_read(user_id=rig.owner.id, notification_ids=[newest.id])
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 2
    await rig.notifications.mark_read(user_id=rig.customer.id, notification_ids=[newest.id])
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 1
    assert [each.read_at is None for each in await rig.listed(rig.customer)] == [False, True]
    first_read_at = (await rig.listed(rig.customer))[0].read_at
    rig.pass_time(minutes=1)
    await rig.notifications.mark_read(user_id=rig.customer.id, notification_ids=[newest.id, older.id])
    assert (await rig.listed(rig.customer))[0].read_at == first_read_at
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 0


def record(user_id: UUID) -> NotificationRecord:
    return NotificationRecord(
        user_id=user_id,
        topic="booking.confirmed.v1",
        subject_id=user_id,
        title="Confirmed",
        text="It is settled.",
        action="See it",
        link="/me/bookings",
    )


async def test_cursor_leads_through_all_notifications_of_one_instant(migrated_url: str) -> None:
    db = Database(migrated_url, outbox=RecordingOutbox())
    service, user_id = NotificationService(db=db), uuid7()
    await service.add_notifications([replace(record(user_id), occasion=str(number)) for number in range(5)])
    whole = await service.list_notifications(user_id=user_id, limit=5)
    assert (len(whole.data), whole.next_cursor) == (5, None)
    first = await service.list_notifications(user_id=user_id, limit=2)
    second = await service.list_notifications(user_id=user_id, limit=2, cursor=first.next_cursor)
    third = await service.list_notifications(user_id=user_id, limit=2, cursor=second.next_cursor)
    assert [*first.data, *second.data, *third.data] == whole.data
    assert third.next_cursor is None
    await db.close()


async def test_page_of_notifications_reads_an_index(db: Database) -> None:
    cursor = TimeCursor(at=datetime(2026, 3, 1, tzinfo=UTC), id=uuid7()).write()
    with statements_of(db) as statements:
        await NotificationService(db=db).list_notifications(user_id=uuid7(), limit=2, cursor=cursor)
    (statement,) = (each for each in statements if "notifications_" in each[0])
    plan = explain(db, statement, preparing=without_scans(db))
    assert "ix_notifications_notification__user_id_created_at_id" in plan
    assert not {word for word in ("Sort", "B-TREE") if word in plan}


async def add_concurrently(db: Database) -> int:
    """Add one notification sixteen times concurrently; return the number of rows."""
    service, once = NotificationService(db=db), record(uuid7())
    await asyncio.gather(*(service.add_notifications([once]) for _ in range(16)))
    async with db.read() as tx:
        count: int = await tx.scalar(select(func.count()).select_from(NotificationRow))
    return count


async def test_concurrent_deliveries_store_one_notification_and_enqueue_one_email(database_url: str) -> None:
    migrate(database_url)
    outbox = RecordingOutbox()
    db = Database(database_url, outbox=outbox)
    assert await add_concurrently(db) == 1
    assert len(outbox.jobs) == 1
    await db.close()


async def test_without_the_unique_constraint_concurrent_deliveries_are_stored_repeatedly(database_url: str) -> None:
    """The negative control: the constraint refuses the other rows."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE unguarded AS SELECT * FROM notifications_notification"))
        connection.execute(text("DROP TABLE notifications_notification"))
        connection.execute(text("ALTER TABLE unguarded RENAME TO notifications_notification"))
    engine.dispose()
    assert await add_concurrently(db) == 16
    await db.close()
