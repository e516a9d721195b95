from sqlalchemy import text

from fairground.platform.db import migrate
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.opening import open_backend
from fairground.platform.jobs.tables import history


def test_the_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        migrate.upgrade(connection, [history])
        assert migrate.find_drift(connection, [history]) == []
    engine.dispose()


async def test_partial_indexes_hold_only_what_they_are_for(db: Database) -> None:
    async with db.write() as tx:
        query = (
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'jobs_job' AND sql LIKE '%INDEX%'"
            if tx.ops.name == "sqlite"
            else "SELECT indexdef FROM pg_indexes WHERE tablename = 'jobs_job' AND indexname NOT LIKE 'pk%'"
        )
        definitions = await tx.scalars(text(query))
    assert len(definitions) == 4
    assert all(" WHERE " in definition for definition in definitions)
