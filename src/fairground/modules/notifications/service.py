"""Notifications as the contract promises them, and their writing."""

from collections.abc import Collection, Sequence
from typing import ClassVar
from uuid import UUID

from fairground.contracts.notifications import NotificationPage
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.messages import Job
from fairground.modules.notifications import store
from fairground.modules.notifications.domain import NotificationRecord
from fairground.platform.db.database import Database


class SendEmail(Job):
    topic: ClassVar = "notifications.send_mail.v1"
    max_attempts: ClassVar = 40  # with the waits between them, more than a day without a mail server
    notification_id: UUID


class NotificationService:
    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def list_notifications(self, *, user_id: UUID, limit: int, cursor: str | None = None) -> NotificationPage:
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_notifications(tx, user_id=user_id, after=after, limit=limit + 1)
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return NotificationPage(data=shown, next_cursor=None if end is None else end.write())

    async def count_unread(self, *, user_id: UUID) -> int:
        async with self._db.read() as tx:
            return await store.count_unread(tx, user_id=user_id)

    async def mark_read(self, *, user_id: UUID, notification_ids: Collection[UUID]) -> None:
        async with self._db.write() as tx:
            await store.mark_read(tx, user_id=user_id, notification_ids=notification_ids)

    async def add_notifications(self, notifications: Sequence[NotificationRecord]) -> None:
        """Store the notifications that are new and enqueue their emails; the current job ends with it."""
        async with self._db.write(ends_job=True) as tx:
            now = await tx.current_time()
            for notification in notifications:
                notification_id = uuid7()
                if await store.insert_notification(tx, notification, notification_id=notification_id, created_at=now):
                    await tx.enqueue(SendEmail(notification_id=notification_id))
