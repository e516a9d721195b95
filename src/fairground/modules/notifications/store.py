"""Every SQL statement of the notifications module."""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from fairground.contracts.notifications import Notification
from fairground.kernel.inputs import TimeCursor
from fairground.modules.notifications.domain import NotificationRecord
from fairground.modules.notifications.tables import NotificationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.paging import is_behind

_UNREAD_MAX: Final = 100


class MailRecord(NamedTuple):
    """The e-mail of a notification, without its text."""

    id: UUID
    user_id: UUID
    title: str
    created_at: datetime
    mailed_at: datetime | None


async def insert_notification(
    tx: WriteTx, notification: NotificationRecord, *, notification_id: UUID, created_at: datetime
) -> bool:
    """Insert a notification. Return False when it is there already."""
    row = asdict(notification) | {"id": notification_id, "created_at": created_at, "read_at": None, "mailed_at": None}
    return await tx.insert_ignore(NotificationRow, [row]) == 1


async def find_unmailed(tx: ReadTx, notification_id: UUID) -> NotificationRecord | None:
    names = [field.name for field in fields(NotificationRecord)]
    statement = select(*(NotificationRow.__table__.c[name] for name in names)).where(
        NotificationRow.id == notification_id, NotificationRow.mailed_at.is_(None)
    )
    row = await tx.one_or_none(statement)
    return None if row is None else NotificationRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


async def mark_mailed(tx: WriteTx, notification_id: UUID) -> None:
    await tx.execute(update(NotificationRow).where(NotificationRow.id == notification_id).values(mailed_at=tx.now()))


async def list_notifications(tx: ReadTx, *, user_id: UUID, after: TimeCursor | None, limit: int) -> list[Notification]:
    """Return the user's notifications, the newest first, after the cursor if one is given."""
    names = [*Notification.model_fields]
    statement = (
        select(*(NotificationRow.__table__.c[name] for name in names))
        .where(NotificationRow.user_id == user_id)
        .order_by(NotificationRow.created_at.desc(), NotificationRow.id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(is_behind(NotificationRow.created_at, NotificationRow.id, after))
    return [Notification(**row._mapping) for row in await tx.all(statement)]  # noqa: SLF001 - SQLAlchemy's documented name


async def count_unread(tx: ReadTx, *, user_id: UUID) -> int:
    count: int = await tx.scalar(
        select(func.count())
        .select_from(NotificationRow)
        .where(NotificationRow.user_id == user_id, NotificationRow.read_at.is_(None))
    )
    return count


async def find_last(tx: ReadTx, *, user_id: UUID, topic: str, subject_id: UUID) -> Any:
    """Return `occasion` and `created_at` of the newest notification about a subject; None where there is none."""
    return await tx.one_or_none(
        select(NotificationRow.occasion, NotificationRow.created_at)
        .where(*_about(user_id, topic, subject_id))
        .order_by(NotificationRow.created_at.desc(), NotificationRow.id.desc())
        .limit(1)
    )


async def list_unread(tx: ReadTx, *, user_id: UUID, topic: str, subject_id: UUID) -> list[tuple[UUID, str]]:
    """Return ids and occasions of unread notifications about a subject, the newest hundred."""
    rows = await tx.all(
        select(NotificationRow.id, NotificationRow.occasion)
        .where(*_about(user_id, topic, subject_id), NotificationRow.read_at.is_(None))
        .order_by(NotificationRow.created_at.desc())
        .limit(_UNREAD_MAX)
    )
    return [(row.id, row.occasion) for row in rows]


def _about(user_id: UUID, topic: str, subject_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        NotificationRow.user_id == user_id,
        NotificationRow.topic == topic,
        NotificationRow.subject_id == subject_id,
    )


async def mark_read(tx: WriteTx, *, user_id: UUID, notification_ids: Collection[UUID]) -> None:
    """Mark unread notifications of the user."""
    await tx.execute(
        update(NotificationRow)
        .where(
            NotificationRow.id.in_(notification_ids),
            NotificationRow.user_id == user_id,
            NotificationRow.read_at.is_(None),
        )
        .values(read_at=tx.now())
    )


async def list_mails(
    tx: ReadTx, *, user_id: UUID | None, kept_for: timedelta, after: TimeCursor | None, limit: int
) -> list[MailRecord]:
    """Return the e-mails to one account, or to all, the newest first."""
    columns = (
        NotificationRow.id,
        NotificationRow.user_id,
        NotificationRow.title,
        NotificationRow.created_at,
        NotificationRow.mailed_at,
    )
    statement = select(*columns).where(NotificationRow.created_at >= tx.now(-kept_for))
    if user_id is not None:
        statement = statement.where(NotificationRow.user_id == user_id)
    if after is not None:
        statement = statement.where(is_behind(NotificationRow.created_at, NotificationRow.id, after))
    newest = statement.order_by(NotificationRow.created_at.desc(), NotificationRow.id.desc()).limit(limit)
    return [MailRecord(*row) for row in await tx.all(newest)]


async def unmark_mailed(tx: WriteTx, notification_id: UUID) -> bool:
    """Let a notification be mailed again. Return False when there is none."""
    again = update(NotificationRow).where(NotificationRow.id == notification_id)
    return await tx.execute(again.values(mailed_at=None)) == 1
