"""What somebody is told is written down once, and the list of it is theirs alone."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from fairground.kernel.ids import uuid7
from fairground.modules.notifications.domain import Notice
from fairground.modules.notifications.service import NotificationService
from fairground.modules.notifications.tables import NotificationRow
from fairground.platform.db.database import Database
from tests.modules.notifications.rig import Rig
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio


async def test_the_list_shows_the_newest_first_and_at_most_as_many_as_asked_for(rig: Rig) -> None:
    booking = await rig.request()
    await rig.work()
    await rig.bookings.accept(owner_id=rig.owner.id, booking_id=booking.id)
    await rig.work()
    topics = [told.topic for told in await rig.listed(rig.customer)]
    assert topics == ["booking.confirmed.v1", "booking.requested.v1"]
    (newest,) = (await rig.notifications.list_notifications(user_id=rig.customer.id, limit=1)).data
    assert newest.topic == "booking.confirmed.v1"
    assert (newest.subject_id, newest.link) == (booking.id, f"/me/bookings/{booking.id}")
    assert newest.read_at is None


async def test_reading_touches_only_what_was_shown_to_its_owner(rig: Rig) -> None:
    for _ in range(2):
        await rig.request()
        await rig.work()
    newest, older = await rig.listed(rig.customer)
    await rig.notifications.mark_read(user_id=rig.owner.id, notification_ids=[newest.id])
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 2
    await rig.notifications.mark_read(user_id=rig.customer.id, notification_ids=[newest.id])
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 1
    assert [told.read_at is None for told in await rig.listed(rig.customer)] == [False, True]
    first_read_at = (await rig.listed(rig.customer))[0].read_at
    rig.pass_time(minutes=1)
    await rig.notifications.mark_read(user_id=rig.customer.id, notification_ids=[newest.id, older.id])
    assert (await rig.listed(rig.customer))[0].read_at == first_read_at
    assert await rig.notifications.count_unread(user_id=rig.customer.id) == 0


def notice(user_id: UUID) -> Notice:
    return Notice(
        user_id=user_id,
        topic="booking.confirmed.v1",
        subject_id=user_id,
        title="Confirmed",
        text="It is settled.",
        action="See it",
        link="/me/bookings",
    )


async def tell_in_a_rush(db: Database) -> int:
    """Tell one thing sixteen times at once and return how often it was written down."""
    service, once = NotificationService(db=db), notice(uuid7())
    await asyncio.gather(*(service.tell([once]) for _ in range(16)))
    async with db.read() as tx:
        count: int = await tx.scalar(select(func.count()).select_from(NotificationRow))
    return count


async def test_of_a_rush_of_deliveries_one_notification_and_one_mail_come(database_url: str) -> None:
    migrate(database_url)
    outbox = RecordingOutbox()
    db = Database(database_url, outbox=outbox)
    assert await tell_in_a_rush(db) == 1
    assert len(outbox.jobs) == 1
    await db.close()


async def test_without_the_unique_constraint_the_rush_tells_more_than_once(database_url: str) -> None:
    """The negative control: it is the constraint that holds the others back."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE unguarded AS SELECT * FROM notifications_notification"))
        connection.execute(text("DROP TABLE notifications_notification"))
        connection.execute(text("ALTER TABLE unguarded RENAME TO notifications_notification"))
    engine.dispose()
    assert await tell_in_a_rush(db) == 16
    await db.close()
