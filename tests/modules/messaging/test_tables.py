from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from fairground.modules.messaging.tables import Base, history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import find_drift, upgrade


def test_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        assert find_drift(connection, [history]) == []
    engine.dispose()


def test_every_key_of_a_message_begins_with_its_conversation() -> None:
    """A unique constraint of a partitioned table must contain the column by which it is partitioned."""
    table = Base.metadata.tables["messaging_message"]
    unique = [each for each in table.constraints if isinstance(each, PrimaryKeyConstraint | UniqueConstraint)]
    assert [next(iter(key.columns)).name for key in unique] == ["conversation_id"] * 2
    assert not table.indexes
