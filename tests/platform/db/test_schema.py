"""A database is brought to the state of the code, whole and with a copy kept, or left as it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from fairground.platform.db.common.tables import history as common
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.dialect.base import Backend, DatabaseUnavailable
from fairground.platform.db.history import SchemaState
from fairground.platform.db.schema import SchemaMismatch, check_schema, require_schema, upgrade_schema
from fairground.platform.jobs.tables import history as jobs

HISTORIES = [common, jobs]


@pytest.fixture
def backend(database_url: str) -> Backend:
    return open_backend(database_url, pool_size=1, is_secondary=True)


def say(backend: Backend, statement: str) -> None:
    engine = backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def copies(backend: Backend) -> list[Path]:
    return sorted(backend.file.parent.glob("*.before-*")) if backend.file else []


def test_a_new_database_is_made_whole_and_then_required(backend: Backend) -> None:
    with pytest.raises(SchemaMismatch, match=r"fairground (up|db upgrade)"):
        require_schema(backend, HISTORIES)
    assert upgrade_schema(backend, HISTORIES) == ["common", "jobs"]
    require_schema(backend, HISTORIES)
    assert upgrade_schema(backend, HISTORIES) == []
    assert copies(backend) == [], "there was nothing to lose"


def test_only_looking_makes_no_file(tmp_path: Path) -> None:
    missing = open_backend(f"sqlite:///{tmp_path}/none/fairground.db", pool_size=1, is_secondary=True)
    with pytest.raises(SchemaMismatch, match="There is no database at"):
        require_schema(missing, HISTORIES)
    assert not list(tmp_path.iterdir())


def test_a_file_is_copied_before_its_tables_change(backend: Backend) -> None:
    upgrade_schema(backend, [common])
    say(backend, "CREATE TABLE kept (word TEXT)")
    say(backend, "INSERT INTO kept VALUES ('before')")
    assert upgrade_schema(backend, HISTORIES) == ["jobs"]
    if backend.file is None:
        return
    (copy,) = copies(backend)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("before",)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "common_idempotency" in tables
    assert "jobs_job" not in tables, "the copy is of the state before"


def test_a_database_of_newer_code_is_refused_and_neither_changed_nor_copied(backend: Backend) -> None:
    upgrade_schema(backend, [common])
    say(backend, "UPDATE common_alembic_version SET version_num = '9999'")
    for act in (require_schema, upgrade_schema):
        with pytest.raises(SchemaMismatch, match="newer version of Fairground"):
            act(backend, HISTORIES)
    states = {entry.module: entry.state for entry in check_schema(backend, HISTORIES)}
    assert states == {"common": SchemaState.AHEAD, "jobs": SchemaState.BEHIND}
    assert copies(backend) == []


def test_a_copy_that_cannot_be_made_keeps_the_upgrade_from_starting(tmp_path: Path) -> None:
    backend = open_backend(f"sqlite:///{tmp_path / 'fairground.db'}", pool_size=1, is_secondary=True)
    upgrade_schema(backend, [common])
    (tmp_path / "fairground.db").write_bytes((tmp_path / "fairground.db").read_bytes()[:4096])
    with pytest.raises(DatabaseUnavailable):
        upgrade_schema(backend, HISTORIES)


def test_a_server_that_is_not_there_is_said_to_be_unavailable() -> None:
    backend = open_backend("postgresql://user@127.0.0.1:1/nothing", pool_size=1, is_secondary=True)
    with pytest.raises(DatabaseUnavailable, match="is not available") as refused:
        require_schema(backend, HISTORIES)
    # Only the operator may see the address of the database.
    assert "127.0.0.1" in refused.value.reason
    assert "127.0.0.1" not in refused.value.detail
