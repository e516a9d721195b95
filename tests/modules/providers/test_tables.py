from fairground.modules.discovery.tables import history as discovery_history
from fairground.modules.imports.tables import history as imports_history
from fairground.modules.providers.tables import history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import find_drift, upgrade


def test_the_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    # Until the revisions are squashed, the history of the catalog also makes the tables of imports and discovery.
    histories = [history, imports_history, discovery_history]
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, histories)
        assert find_drift(connection, histories) == []
    engine.dispose()
