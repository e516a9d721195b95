"""Notifications: lines on a user's notifications page, each also sent as an email."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fairground.contracts.dto import DTO


class Notification(DTO):
    id: UUID
    topic: str
    """The topic of the event behind it, such as `booking.confirmed.v1`."""
    subject_id: UUID
    """The booking or provider that it is about."""
    title: str
    text: str
    action: str
    """The label of the link."""
    link: str
    """A path of this installation, such as `/me/bookings/…`."""
    created_at: datetime
    read_at: datetime | None


class NotificationPage(DTO):
    data: list[Notification]
    next_cursor: str | None
    """None when nothing follows."""


class Notifications(Protocol):
    async def list_notifications(self, *, user_id: UUID, limit: int, cursor: str | None = None) -> NotificationPage:
        """Return the user's notifications, the newest first.

        Args:
            cursor: `next_cursor` of the page before.

        Raises:
            CursorInvalid
        """
        ...

    async def count_unread(self, *, user_id: UUID) -> int: ...

    async def mark_read(self, *, user_id: UUID, notification_ids: Collection[UUID]) -> None:
        """Mark the user's own notifications; ids of others are ignored."""
        ...
