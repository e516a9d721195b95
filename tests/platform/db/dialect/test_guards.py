"""Guards: neither overlapping live rows of one resource nor whole pictures in address columns can be stored."""

from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from fairground.platform.db.dialect import open_backend
from fairground.platform.db.dialect.guards import AddressGuard, GuardError, OverlapGuard

GUARD: Final = OverlapGuard(table="court", live_states=("held", "confirmed"))
DAY: Final = 24 * 3600
ADDRESS_GUARD: Final = AddressGuard("shop_sign", "url")
PUT: Final = text("INSERT INTO shop_sign (id, url) VALUES (:id, :url)")
CHANGE: Final = text("UPDATE shop_sign SET url = :url WHERE id = 1")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    instant = "BIGINT" if engine.dialect.name == "sqlite" else "TIMESTAMPTZ"
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE court (id INT PRIMARY KEY, resource_id INT NOT NULL, unit INT NOT NULL,"
                f" blocked_from {instant} NOT NULL, blocked_until {instant} NOT NULL, state TEXT NOT NULL,"
                " CHECK (blocked_from < blocked_until))"
            )
        )
        GUARD.ensure(connection)
    yield engine
    engine.dispose()


def put(
    connection: Connection,
    row_id: int,
    since: float,
    until: float,
    *,
    state: str = "held",
    unit: int = 1,
    verb: str = "INSERT",
) -> None:
    connection.execute(
        text(
            f"{verb} INTO court VALUES ({row_id}, 7, {unit}, {at(connection, since)}, {at(connection, until)}, :state)"
        ),
        {"state": state},
    )


def at(connection: Connection, seconds: float) -> str:
    if connection.dialect.name == "sqlite":
        return str(int(seconds * 1_000_000))
    return f"to_timestamp({seconds})"


@pytest.mark.parametrize("state", ["held", "confirmed"])
@pytest.mark.parametrize(("since", "until"), [(0, 60), (30, 90), (-30, 30), (-30, 90), (10, 20), (59, 61)])
def test_an_overlapping_live_row_is_refused(engine: Engine, since: int, until: int, state: str) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
    with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
        put(connection, 2, since, until, state=state)
    assert GUARD.is_refusal(refused.value)


@pytest.mark.parametrize(("since", "until"), [(60, 120), (-60, 0)])
def test_a_time_that_only_touches_another_is_accepted(engine: Engine, since: int, until: int) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
        put(connection, 2, since, until)


def test_other_units_and_ended_rows_do_not_stand_in_the_way(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
        put(connection, 2, 0, 60, unit=2)
        put(connection, 3, 0, 60, state="released")


@pytest.mark.parametrize("change", ["state = 'held'", "state = 'held', unit = 1"])
def test_an_ended_row_cannot_come_back_to_a_time_that_was_taken_since(engine: Engine, change: str) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60, state="released")
        put(connection, 2, 0, 60)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(f"UPDATE court SET {change} WHERE id = 1"))


def test_a_row_cannot_move_onto_another(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
        put(connection, 2, 60, 120)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(f"UPDATE court SET blocked_from = {at(connection, 59)} WHERE id = 2"))


@pytest.mark.parametrize("verb", ["INSERT OR IGNORE", "INSERT OR REPLACE"])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_form_of_insert_goes_round_the_guard(engine: Engine, verb: str) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        put(connection, 2, 30, 90, verb=verb)


def test_a_time_of_31_days_is_accepted_and_a_longer_one_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 31 * DAY)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        put(connection, 2, 40 * DAY, 71 * DAY + 1)


def test_the_whole_of_the_longest_time_is_guarded(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 31 * DAY)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        put(connection, 2, 31 * DAY - 1, 31 * DAY + 1)


@pytest.mark.parametrize("end", ["'infinity'", "NULL"])
@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_an_endless_time_is_refused(engine: Engine, end: str) -> None:
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text(f"INSERT INTO court VALUES (1, 7, 1, to_timestamp(0), {end}, 'held')"))


def test_a_dropped_guard_lets_a_time_be_taken_twice_and_is_not_restored_over_that(engine: Engine) -> None:
    with engine.begin() as connection:
        GUARD.drop(connection)
        put(connection, 1, 0, 60)
        put(connection, 2, 30, 90)
    with pytest.raises(GuardError, match="overlap"), engine.begin() as connection:
        GUARD.ensure(connection)


def test_a_guard_that_is_there_is_left_as_it_is(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, 1, 0, 60)
        GUARD.ensure(connection)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        put(connection, 2, 0, 60)


def ensure_as(engine: Engine, role: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        GUARD.ensure(connection)


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_a_database_without_the_extension_says_who_can_create_it(engine: Engine) -> None:
    with engine.begin() as connection:
        GUARD.drop(connection)
        connection.execute(text("DROP EXTENSION btree_gist"))
        connection.execute(text("CREATE ROLE powerless"))
        connection.execute(text("ALTER TABLE court OWNER TO powerless"))
    try:
        with pytest.raises(GuardError, match="CREATE EXTENSION btree_gist"):
            ensure_as(engine, "powerless")
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE court OWNER TO CURRENT_USER"))
            connection.execute(text("DROP ROLE powerless"))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.connect() as opened:
        opened.execute(text("CREATE TABLE shop_sign (id INTEGER PRIMARY KEY, url TEXT)"))
        yield opened
        opened.rollback()
    engine.dispose()


@pytest.mark.parametrize("url", ["data:image/png;base64,iVBORw0KGgo=", "DATA:,x"])
def test_insert_and_update_of_a_whole_picture_are_refused(connection: Connection, url: str) -> None:
    for _ in range(2):
        ADDRESS_GUARD.ensure(connection)
    connection.execute(PUT, [{"id": 1, "url": "/api/v1/img/1"}, {"id": 2, "url": None}])
    for statement in (PUT, CHANGE):
        with pytest.raises(IntegrityError, match=ADDRESS_GUARD.name), connection.begin_nested():
            connection.execute(statement, {"id": 3, "url": url})
    connection.execute(CHANGE, {"url": "/api/v1/img/2"})
    assert connection.scalar(text("SELECT count(*) FROM shop_sign")) == 2


def test_row_from_before_the_address_guard_stays_and_the_next_one_is_refused(connection: Connection) -> None:
    connection.execute(PUT, {"id": 1, "url": "data:,x"})
    ADDRESS_GUARD.ensure(connection)
    with pytest.raises(IntegrityError, match=ADDRESS_GUARD.name), connection.begin_nested():
        connection.execute(PUT, {"id": 2, "url": "data:,y"})
    connection.execute(CHANGE, {"url": None})
    assert connection.scalar(text("SELECT url FROM shop_sign")) is None
