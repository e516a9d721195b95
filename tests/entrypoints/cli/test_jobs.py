from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from fairground.kernel.ids import uuid7
from fairground.platform.db.dialect import open_backend
from fairground.platform.jobs.tables import JobRow
from tests.entrypoints.cli.conftest import CommandLine


def add_job(url: str, *, state: str) -> UUID:
    now = datetime.now(UTC)
    job: dict[str, Any] = {
        "id": uuid7(),
        "kind": "booking:booking.expire_hold.v1",
        "payload": {},
        "state": state,
        "run_at": now,
        "attempt": 20,
        "max_attempts": 20,
        "crashes": 0,
        "fence": 20,
        "error": "KeyError: 'zone'",
        "created_at": now,
        "finished_at": now if state == "dead" else None,
    }
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        connection.execute(insert(JobRow).values(job))
    engine.dispose()
    id_: UUID = job["id"]
    return id_


def test_dead_job_is_listed_with_its_error_and_can_be_requeued(installed: CommandLine, migrated_url: str) -> None:
    job_id = add_job(migrated_url, state="dead")
    shown = installed("jobs", "list").out.splitlines()
    assert shown[0] == "ready: 0  running: 0  done: 0  dead: 1"
    assert shown[1].startswith(str(job_id))
    assert shown[1].endswith("booking:booking.expire_hold.v1  KeyError: 'zone'")
    assert installed("jobs", "requeue", str(job_id)).out == f"Job {job_id} is queued again.\n"
    assert installed("jobs", "list").out == "ready: 1  running: 0  done: 0  dead: 0\n"


def test_only_a_dead_job_can_be_requeued(installed: CommandLine, migrated_url: str) -> None:
    waiting = add_job(migrated_url, state="ready")
    for job_id in (waiting, uuid7()):
        refusal = installed("jobs", "requeue", str(job_id)).refusal
        assert refusal.startswith(f"There is no dead job {job_id}. `fairground jobs list` shows")
