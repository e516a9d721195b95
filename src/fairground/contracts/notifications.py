"""Notifications: lines on a user's notifications page, each also sent as an email."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import NotFound


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


class MailState(StrEnum):
    SENT = "sent"
    NOT_SENT = "not_sent"
    """It waits, has failed, or was not needed: a message that was read meanwhile is not mailed."""


class StaffMail(DTO):
    """The e-mail of a notification, as staff see it."""

    id: UUID
    user_id: UUID
    recipient: str
    """The address that the account has now; empty when there is no such account."""
    subject: str
    state: MailState
    created_at: datetime
    sent_at: datetime | None


class StaffMailPage(DTO):
    data: list[StaffMail]
    next_cursor: str | None
    """None when nothing follows."""


class MailNotFound(NotFound):
    code = "notifications.mail_not_found"


class StaffMails(Protocol):
    """For pages and routes that admit staff alone. E-mails with links of accounts are not kept, and not listed."""

    async def list_mails(self, *, user_id: UUID | None = None, cursor: str | None = None, limit: int) -> StaffMailPage:
        """Return e-mails of the last 90 days, the newest first; those to one account, or to all.

        Raises:
            CursorInvalid
        """
        ...

    async def resend_mail(self, *, staff_id: UUID, mail_id: UUID) -> None:
        """Send an e-mail again, with what it is about as it is now; one that is no longer true is not sent.

        Raises:
            MailNotFound
        """
        ...
