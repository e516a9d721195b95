"""A database from before the revisions were squashed is refused by its signs, and not written to."""

import pytest
from sqlalchemy import Engine, MetaData, inspect, select, text

from fairground.platform.db.dialect import open_backend
from fairground.platform.db.dialect.base import Backend
from fairground.platform.db.history import History, SchemaState
from fairground.platform.db.migrate import upgrade
from fairground.platform.db.schema import (
    LAST_COMMIT_BEFORE_SQUASH,
    SchemaMismatch,
    check_schema,
    explain_squashed,
    require_schema,
    upgrade_schema,
)
from tests.support.databases import histories

TABLES_BEFORE = {
    "providers": "catalog_provider",
    "imports": "catalog_embedded_picture",
    "discovery": "catalog_list_entry",
}


@pytest.fixture
def backend(database_url: str) -> Backend:
    return open_backend(database_url, pool_size=1, is_secondary=True)


def dump(engine: Engine) -> tuple[object, ...]:
    """Return all that a database holds: tables, columns, indexes, and rows."""
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        shape = inspect(connection)
        return tuple(
            (
                name,
                repr(shape.get_columns(name)),
                [(each["name"], each["column_names"], each["unique"]) for each in shape.get_indexes(name)],
                sorted(map(repr, connection.execute(select(table)).all())),
            )
            for name, table in sorted(metadata.tables.items())
        )


def refuse(backend: Backend, sign: str) -> None:
    """Assert that every way to open the database for writing refuses it by this sign, and leaves it as it is."""
    engine = backend.migration_engine()
    before, content = dump(engine), backend.file.read_bytes() if backend.file else b""
    said = ""
    for act in (require_schema, upgrade_schema):
        with pytest.raises(SchemaMismatch) as refused:
            act(backend, histories())
        said = str(refused.value)
        assert f"({sign})" in said
        assert "\n" not in said
        assert f"check out {LAST_COMMIT_BEFORE_SQUASH}, the last commit that can run it" in said
        assert "`fairground export providers FILE`" in said
        assert "accounts, bookings and payments are not taken along" in said
    assert explain_squashed(backend, check_schema(backend, histories())) == said
    assert dump(engine) == before
    if backend.file:
        assert backend.file.read_bytes() == content
        assert not list(backend.file.parent.glob("*.before-*"))
    engine.dispose()


@pytest.mark.parametrize("history", histories(), ids=lambda history: history.name)
def test_database_with_an_old_revision_of_a_module_is_refused_unchanged(backend: Backend, history: History) -> None:
    engine = backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        connection.execute(text(f"UPDATE {history.version_table} SET version_num = '0001'"))
    engine.dispose()
    refuse(backend, f"{history.name} is at revision 0001")
    states = {each.module: each.state for each in check_schema(backend, histories())}
    assert states.pop(history.name) is SchemaState.SQUASHED
    assert set(states.values()) == {SchemaState.BEHIND}


@pytest.mark.parametrize("module", TABLES_BEFORE)
def test_database_with_a_table_of_the_catalog_is_refused_unchanged(backend: Backend, module: str) -> None:
    [history] = [each for each in histories() if each.name == module]
    engine = backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        connection.execute(text(f"CREATE TABLE {TABLES_BEFORE[module]} (id INTEGER)"))
        connection.execute(text(f"INSERT INTO {TABLES_BEFORE[module]} VALUES (7)"))
    engine.dispose()
    refuse(backend, f"it has the table {TABLES_BEFORE[module]}")


def test_database_of_this_code_is_not_refused(backend: Backend) -> None:
    upgrade_schema(backend, histories())
    require_schema(backend, histories())
    assert explain_squashed(backend, check_schema(backend, histories())) is None


def test_every_history_begins_with_the_squashed_revision() -> None:
    assert {history.revisions()[0] for history in histories()} == {"1000"}
