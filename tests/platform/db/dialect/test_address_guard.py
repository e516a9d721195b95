"""The guard of address columns refuses whole pictures (`data:`) from every writer."""

from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from fairground.platform.db.dialect.guards import AddressGuard
from fairground.platform.db.dialect.opening import open_backend

GUARD: Final = AddressGuard("shop_sign", "url")
PUT: Final = text("INSERT INTO shop_sign (id, url) VALUES (:id, :url)")
CHANGE: Final = text("UPDATE shop_sign SET url = :url WHERE id = 1")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.connect() as opened:
        opened.execute(text("CREATE TABLE shop_sign (id INTEGER PRIMARY KEY, url TEXT)"))
        yield opened
        opened.rollback()
    engine.dispose()


@pytest.mark.parametrize("url", ["data:image/png;base64,iVBORw0KGgo=", "DATA:,x"])
def test_neither_a_new_row_nor_a_change_may_hold_a_picture(connection: Connection, url: str) -> None:
    for _ in range(2):
        GUARD.ensure(connection)
    connection.execute(PUT, [{"id": 1, "url": "/api/v1/img/1"}, {"id": 2, "url": None}])
    for statement in (PUT, CHANGE):
        with pytest.raises(IntegrityError, match=GUARD.name), connection.begin_nested():
            connection.execute(statement, {"id": 3, "url": url})
    connection.execute(CHANGE, {"url": "/api/v1/img/2"})
    assert connection.scalar(text("SELECT count(*) FROM shop_sign")) == 2


def test_a_row_that_came_without_the_guard_stays_and_the_next_one_is_refused(connection: Connection) -> None:
    connection.execute(PUT, {"id": 1, "url": "data:,x"})
    GUARD.ensure(connection)
    with pytest.raises(IntegrityError, match=GUARD.name), connection.begin_nested():
        connection.execute(PUT, {"id": 2, "url": "data:,y"})
    connection.execute(CHANGE, {"url": None})
    assert connection.scalar(text("SELECT url FROM shop_sign")) is None
