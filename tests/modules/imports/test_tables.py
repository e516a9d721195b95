from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from fairground.kernel.ids import uuid7
from fairground.modules.imports.tables import EmbeddedPictureRow, history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import find_drift, upgrade


def test_the_revisions_lead_to_the_tables_of_the_code(database_url: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
        assert find_drift(connection, [history]) == []
    engine.dispose()


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "fetching", "content": None},
        {"state": "waiting", "content": None},
        {"state": "waiting", "replaces_id": uuid7()},
        {"state": "sleeping"},
        {"place": "roof"},
        {"url": "https://example.org/", "state": "fetching"},
    ],
)
def test_the_revisions_keep_the_checks(database_url: str, wrong: dict[str, Any]) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
    row = {"id": uuid7(), "provider_id": uuid7(), "place": "portrait", "digest": "d", "alt": "", "state": "waiting"}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(EmbeddedPictureRow).values({**row, "content": b"x", **wrong}))
    engine.dispose()
