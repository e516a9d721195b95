from fairground.modules.providers.tables import history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import find_drift, upgrade


def test_the_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        assert find_drift(connection, [history]) == []
    engine.dispose()
