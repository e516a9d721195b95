"""The audit trail: who changed what from what to what, and why, recorded in the transaction of the change.

Entries are never changed or deleted: the database refuses both. So they hold ids, statuses and reasons, and neither
names and addresses of users, which a closed account has to lose, nor secrets.
"""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select

from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
from fairground.platform.db.common.tables import AuditEntryRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.paging import is_behind

_USER: Final = "user "
_SECRETS: Final = ("password", "token", "secret", "card")


@dataclass(frozen=True)
class AuditSubject:
    """What was changed, such as `AuditSubject("provider", provider.id)`."""

    kind: str
    id: UUID


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    id: UUID
    acted_at: datetime
    actor: str
    """`user …` with the account's id, or `command, …` with the system's user."""
    action: str
    subject: AuditSubject | None
    changes: dict[str, list[Any]]
    """Of each changed field the old value and the new one."""
    reason: str | None
    details: dict[str, Any]

    @property
    def actor_id(self) -> UUID | None:
        """The account that acted; None for a command."""
        return UUID(self.actor.removeprefix(_USER)) if self.actor.startswith(_USER) else None


@dataclass(frozen=True)
class AuditPage:
    data: list[AuditEntry]
    next_cursor: str | None


async def record_action(
    tx: WriteTx,
    *,
    action: str,
    actor: UUID | None,
    subject: AuditSubject | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the audit trail; it commits or rolls back with the change.

    Args:
        action: The module and a verb, such as `accounts.suspend`.
        actor: The user who acts; None for a command, whose system user is recorded.
        changes: Of each changed field the old value and the new one, as JSON has them.
        details: Further facts, as JSON has them.

    Raises:
        ValueError: A field is named like a password, token, secret or card.
    """
    for field in changes or {}:
        if any(word in field for word in _SECRETS):
            raise ValueError(f"The audit trail must not hold {field!r}: leave it out of the changes.")
    entry = {
        "id": uuid7(),
        "acted_at": tx.now(),
        "actor": f"command, {_system_user()}" if actor is None else _user(actor),
        "action": action,
        "subject_kind": subject and subject.kind,
        "subject_id": subject and subject.id,
        "changes": {field: list(values) for field, values in (changes or {}).items()},
        "reason": reason,
        "details": dict(details or {}),
    }
    await tx.execute(insert(AuditEntryRow).values(**entry))


async def list_actions(
    tx: ReadTx,
    *,
    action: str | None = None,
    subject: AuditSubject | None = None,
    actor: UUID | None = None,
    cursor: str | None = None,
    limit: int,
) -> AuditPage:
    """Return the entries of an action, a subject and an actor, or of any, the latest first.

    Raises:
        CursorInvalid: `cursor` is not a `next_cursor` of this list.
    """
    entries = select(AuditEntryRow)
    if action is not None:
        entries = entries.where(AuditEntryRow.action == action)
    if subject is not None:
        entries = entries.where(AuditEntryRow.subject_kind == subject.kind, AuditEntryRow.subject_id == subject.id)
    if actor is not None:
        entries = entries.where(AuditEntryRow.actor == _user(actor))
    if cursor is not None:
        entries = entries.where(is_behind(AuditEntryRow.acted_at, AuditEntryRow.id, TimeCursor.read(cursor)))
    # One more than is shown tells whether anything follows.
    latest = entries.order_by(AuditEntryRow.acted_at.desc(), AuditEntryRow.id.desc()).limit(limit + 1)
    found = [_entry(row) for row in await tx.all(latest)]
    shown = found[:limit]
    more = len(found) > limit
    return AuditPage(shown, TimeCursor(at=shown[-1].acted_at, id=shown[-1].id).write() if more else None)


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        acted_at=row.acted_at,
        actor=row.actor,
        action=row.action,
        subject=None if row.subject_kind is None else AuditSubject(row.subject_kind, row.subject_id),
        changes=row.changes,
        reason=row.reason,
        details=row.details,
    )


def _user(user_id: UUID) -> str:
    return f"{_USER}{user_id}"


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # The user id of a container often has no name.
        return f"number {os.getuid()}"
