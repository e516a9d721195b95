"""The audit trail for staff, with the names of the accounts that acted."""

from uuid import UUID

from fairground.contracts.audit import AuditRecord, AuditRecordPage, AuditSubjectInvalid
from fairground.modules.accounts import store
from fairground.modules.accounts.service.staff_accounts import require_staff
from fairground.platform.db.common.audit import AuditEntry, AuditSubject, list_actions
from fairground.platform.db.database import Database


class AuditTrailService:
    """Implements `AuditTrail`."""

    def __init__(self, *, db: Database) -> None:
        self._db = db

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
        subject = _subject(subject_kind, subject_id)
        async with self._db.read() as tx:
            await require_staff(tx, staff_id)
            page = await list_actions(tx, action=action, subject=subject, actor=actor_id, cursor=cursor, limit=limit)
            actor_ids = {entry.actor_id for entry in page.data if entry.actor_id is not None}
            actors = await store.find_users(tx, actor_ids)
        names = {user_id: user.name for user_id, user in actors.items()}
        return AuditRecordPage(data=[_record(entry, names) for entry in page.data], next_cursor=page.next_cursor)


def _subject(kind: str | None, subject_id: UUID | None) -> AuditSubject | None:
    if (kind is None) != (subject_id is None):
        raise AuditSubjectInvalid("A subject has a kind and an id.", field="subject_id")
    return None if kind is None or subject_id is None else AuditSubject(kind, subject_id)


def _record(entry: AuditEntry, names: dict[UUID, str]) -> AuditRecord:
    return AuditRecord(
        id=entry.id,
        acted_at=entry.acted_at,
        actor=entry.actor,
        actor_id=entry.actor_id,
        actor_name=None if entry.actor_id is None else names.get(entry.actor_id),
        action=entry.action,
        subject_kind=None if entry.subject is None else entry.subject.kind,
        subject_id=None if entry.subject is None else entry.subject.id,
        changes=entry.changes,
        reason=entry.reason,
        details=entry.details,
    )
