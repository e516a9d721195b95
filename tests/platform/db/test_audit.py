"""An audit entry commits with its action, says what changed, is found by action, subject and actor, and stays."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Text, Uuid, column, insert, table, text
from sqlalchemy.exc import DBAPIError

from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CursorInvalid
from fairground.platform.db.common.audit import AuditSubject, list_actions, record_action
from fairground.platform.db.common.tables import history
from fairground.platform.db.database import Database
from fairground.platform.db.migrate import upgrade
from fairground.platform.db.types import Json, UtcDateTime
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio

NOW, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
SAM, ANN, NORA, MAYA = (uuid7() for _ in range(4))

LOG = table(
    "common_operator_act",
    column("id", Uuid()),
    column("acted_at", UtcDateTime()),
    column("actor", Text()),
    column("act", Text()),
    column("details", Json),
)


async def record(db: Database, **facts: Any) -> None:
    async with db.write() as tx:
        await record_action(tx, **{"action": "accounts.suspend", "actor": SAM, **facts})


async def actors(db: Database, **filters: Any) -> list[UUID | None]:
    async with db.read() as tx:
        return [entry.actor_id for entry in (await list_actions(tx, limit=9, **filters)).data]


async def test_entry_says_who_changed_what_from_what_to_what(db: Database) -> None:
    subject = AuditSubject("user", NORA)
    await record(db, subject=subject, changes={"status": ("active", "suspended")}, reason="Spam ø.")
    async with db.read() as tx:
        [entry] = (await list_actions(tx, limit=9)).data
    assert (entry.action, entry.actor, entry.actor_id) == ("accounts.suspend", f"user {SAM}", SAM)
    assert (entry.subject, entry.changes, entry.reason) == (subject, {"status": ["active", "suspended"]}, "Spam ø.")
    assert entry.details == {}


async def test_command_is_recorded_with_its_system_user(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "operator")
    await record(db, actor=None)
    async with db.read() as tx:
        [entry] = (await list_actions(tx, limit=9)).data
    assert (entry.actor, entry.actor_id) == ("command, operator", None)


async def test_entries_are_filtered_by_action_subject_and_actor(db: Database) -> None:
    nora, maya = AuditSubject("user", NORA), AuditSubject("provider", MAYA)
    await record(db, subject=nora)
    await record(db, actor=ANN, subject=nora, action="accounts.restore")
    await record(db, actor=None, subject=maya, action="providers.suspend")
    assert await actors(db) == [None, ANN, SAM]
    assert await actors(db, subject=nora) == [ANN, SAM]
    assert await actors(db, subject=AuditSubject("provider", NORA)) == []
    assert await actors(db, actor=ANN) == [ANN]
    assert await actors(db, action="providers.suspend") == [None]
    assert await actors(db, action="accounts.suspend", subject=nora, actor=ANN) == []


async def test_pages_follow_each_other_and_hold_each_entry_once(db: Database) -> None:
    async with db.write() as tx:
        # Entries of one transaction share its time.
        for number in range(5):
            await record_action(tx, action="cache.flush", actor=SAM, details={"number": number})
    seen, cursor = [], None
    async with db.read() as tx:
        for _ in range(3):
            page = await list_actions(tx, action="cache.flush", cursor=cursor, limit=2)
            seen += [entry.details["number"] for entry in page.data]
            cursor = page.next_cursor
        with pytest.raises(CursorInvalid):
            await list_actions(tx, cursor="elsewhere", limit=2)
    assert (seen, cursor) == ([4, 3, 2, 1, 0], None)


@pytest.mark.parametrize("change", ["UPDATE common_audit_entry SET actor = 'x'", "DELETE FROM common_audit_entry"])
async def test_database_refuses_to_change_or_delete_an_entry(db: Database, change: str) -> None:
    await record(db)
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.write() as tx:
            await tx.execute(text(change))
    assert await actors(db) == [SAM]


async def test_entry_of_a_rolled_back_transaction_is_not_listed(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as tx:
            await record_action(tx, action="cache.flush", actor=SAM)
            raise ValueError("It went wrong.")

    with pytest.raises(ValueError, match="went wrong"):
        await fail()
    assert await actors(db) == []


@pytest.mark.parametrize("field", ["password_hash", "api_token", "client_secret", "card_last4"])
async def test_secrets_are_refused(db: Database, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        await record(db, changes={field: ("a", "b")})


async def test_log_from_before_becomes_the_trail(database_url: str, tmp_path: Path) -> None:
    older = replace(history, folder=tmp_path)
    older.versions.mkdir()
    shutil.copy(history.versions / "1000_common.py", older.versions)
    db = Database(database_url, outbox=RecordingOutbox())
    account, given = {"user_id": str(NORA)}, {"was": "customer", "role": "staff"}
    rows: list[dict[str, Any]] = [
        {"actor": "command line", "act": "accounts.set_role", "details": account | given},
        {"actor": f"user {SAM}", "act": "accounts.end_sessions", "details": {**account, "sessions": 2}},
        {"actor": f"user {SAM}", "act": "cache.flush", "details": {"tags": ["everything"]}},
    ]
    rows = [{"id": uuid7(), "acted_at": NOW + number * DAY, **row} for number, row in enumerate(rows)]
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [older])
        connection.execute(insert(LOG), rows)
    with engine.begin() as connection:
        assert upgrade(connection, [history]) == ["common"]
    engine.dispose()
    async with db.read() as tx:
        flush, ended, role = (await list_actions(tx, limit=9)).data
    await db.close()
    assert (role.subject, role.changes) == (AuditSubject("user", NORA), {"role": ["customer", "staff"]})
    assert (role.acted_at, role.actor, role.details) == (NOW, "command, unknown", {})
    assert (ended.subject, ended.actor_id, ended.details) == (AuditSubject("user", NORA), SAM, {"sessions": 2})
    assert (flush.subject, flush.action, flush.details) == (None, "cache.flush", {"tags": ["everything"]})
