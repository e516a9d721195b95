"""Histories bring a database to what the code expects, and say so when it is elsewhere."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, Text, text

from fairground.platform.db.common.tables import history
from fairground.platform.db.database import Database
from fairground.platform.db.history import History, SchemaState, check
from fairground.platform.db.migrate import find_drift, upgrade
from tests.support.databases import histories
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio


async def test_an_empty_database_is_behind_then_current_and_shows_no_drift(database_url: str) -> None:
    engine = Database(database_url, outbox=RecordingOutbox()).backend.migration_engine()
    assert [entry.state for entry in check(engine, [history])] == [SchemaState.BEHIND]
    with engine.begin() as connection:
        assert upgrade(connection, [history]) == ["common"]
        assert upgrade(connection, [history]) == []
    assert [entry.state for entry in check(engine, [history])] == [SchemaState.CURRENT]
    with engine.connect() as connection:
        assert find_drift(connection, [history]) == []
    engine.dispose()


async def test_a_database_of_newer_code_is_ahead(database_url: str) -> None:
    engine = Database(database_url, outbox=RecordingOutbox()).backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        connection.execute(text("UPDATE common_alembic_version SET version_num = '9999'"))
    assert [entry.state for entry in check(engine, [history])] == [SchemaState.AHEAD]
    engine.dispose()


async def test_a_migration_that_fails_leaves_nothing_behind(database_url: str) -> None:
    engine = Database(database_url, outbox=RecordingOutbox()).backend.migration_engine()

    def upgrade_and_fail() -> None:
        with engine.begin() as connection:
            upgrade(connection, [history])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        upgrade_and_fail()
    assert [entry.state for entry in check(engine, [history])] == [SchemaState.BEHIND]
    engine.dispose()


_FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table("plants_plant", sa.Column("name", sa.Text(), primary_key=True))
"""
_SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "1001"
down_revision = "1000"


def upgrade() -> None:
    op.add_column("plants_plant", sa.Column("height_mm", sa.Integer(), nullable=False, server_default="0"))
"""


def test_later_revision_is_applied_to_a_database_with_rows(database_url: str, tmp_path: Path) -> None:
    plants = History(name="plants", metadata=MetaData(), folder=tmp_path / "migrations")
    plants.versions.mkdir(parents=True)
    (plants.versions / "1000_plants.py").write_text(_FIRST)
    Table("plants_plant", plants.metadata, Column("name", Text, primary_key=True), Column("height_mm", Integer))
    engine = Database(database_url, outbox=RecordingOutbox()).backend.migration_engine()
    with engine.begin() as connection:
        assert upgrade(connection, [plants]) == ["plants"]
        connection.execute(text("INSERT INTO plants_plant (name) VALUES ('fern')"))
    (plants.versions / "1001_heights.py").write_text(_SECOND)
    [behind] = check(engine, [plants])
    assert (behind.state, behind.found, behind.expected) == (SchemaState.BEHIND, "1000", "1001")
    with engine.begin() as connection:
        assert upgrade(connection, [plants]) == ["plants"]
        assert connection.execute(text("SELECT name, height_mm FROM plants_plant")).all() == [("fern", 0)]
    assert [entry.state for entry in check(engine, [plants])] == [SchemaState.CURRENT]
    engine.dispose()


def test_the_files_of_every_module_name_its_revisions() -> None:
    assert histories()
    for each in histories():
        assert each.revisions()
        scripts = ScriptDirectory(str(each.folder), version_locations=[str(each.versions)])
        assert each.revisions() == [revision.revision for revision in scripts.walk_revisions()][::-1]
        assert each.revisions()[-1:] == scripts.get_heads()
