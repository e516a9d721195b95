"""The audit trail as staff read it. Modules write it in their own transactions (`platform/db/common/audit.py`)."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Invalid


class AuditRecord(DTO):
    id: UUID
    acted_at: datetime
    actor: str
    """`user …` with the account's id, or `command, …` with the system's user."""
    actor_id: UUID | None
    """The account that acted; None for a command."""
    actor_name: str | None
    """The present name of that account."""
    action: str
    """The module and a verb, such as `providers.suspend`."""
    subject_kind: str | None
    """What was changed, such as `provider`; None where the action has no subject."""
    subject_id: UUID | None
    changes: dict[str, list[Any]]
    """Of each changed field the old value and the new one."""
    reason: str | None
    details: dict[str, Any]


class AuditRecordPage(DTO):
    data: list[AuditRecord]
    next_cursor: str | None
    """None when nothing follows."""


class AuditSubjectInvalid(Invalid):
    code = "audit.subject_invalid"
    hint = "Send both subject_kind and subject_id, or neither."


class AuditTrail(Protocol):
    async def list_records(
        self,
        *,
        staff_id: UUID,
        action: str | None = None,
        subject_kind: str | None = None,
        subject_id: UUID | None = None,
        actor_id: UUID | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> AuditRecordPage:
        """Return what staff and commands have changed by hand, the latest first.

        Raises:
            NotPermitted: The account is not one of the staff.
            AuditSubjectInvalid: A subject has a kind and an id; one of them is missing.
            CursorInvalid
        """
        ...
