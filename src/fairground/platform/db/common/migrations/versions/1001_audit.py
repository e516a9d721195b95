"""The operator log becomes the audit trail: subjects, changes and reasons, and rows that cannot be changed."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.guards import refuse_changes
from fairground.platform.db.types import Json, UtcDateTime

revision = "1001"
down_revision = "1000"

_BATCH: Final = 1_000
_LOG: Final = sa.table(
    "common_operator_act",
    sa.column("id", sa.Uuid()),
    sa.column("acted_at", UtcDateTime()),
    sa.column("actor", sa.Text()),
    sa.column("act", sa.Text()),
    sa.column("details", Json),
)


def upgrade() -> None:
    trail = op.create_table(
        "common_audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("acted_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("changes", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.CheckConstraint(
            "(subject_kind IS NULL) = (subject_id IS NULL)", name=op.f("ck_common_audit_entry__subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_common_audit_entry")),
    )
    _move_log(trail)
    for name, columns in {
        "time": ["acted_at", "id"],
        "subject": ["subject_kind", "subject_id", "acted_at", "id"],
        "actor": ["actor", "acted_at", "id"],
        "action": ["action", "acted_at", "id"],
    }.items():
        op.create_index(f"ix_common_audit_entry__{name}", "common_audit_entry", columns)
    op.drop_table("common_operator_act")
    refuse_changes(op.get_bind(), "common_audit_entry")


def _move_log(trail: sa.Table) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(_LOG)).mappings().all()
    for first in range(0, len(rows), _BATCH):
        connection.execute(sa.insert(trail), [_entry(row) for row in rows[first : first + _BATCH]])


def _entry(row: Any) -> dict[str, Any]:
    details = dict(row["details"])
    # The log had the account as a detail, and an old and a new role as two.
    user_id = details.pop("user_id", None)
    was, role = details.pop("was", None), details.pop("role", None)
    return {
        "id": row["id"],
        "acted_at": row["acted_at"],
        "actor": "command, unknown" if row["actor"] == "command line" else row["actor"],
        "action": row["act"],
        "subject_kind": None if user_id is None else "user",
        "subject_id": None if user_id is None else UUID(user_id),
        "changes": {} if role is None else {"role": [was, role]},
        "reason": None,
        "details": details,
    }
