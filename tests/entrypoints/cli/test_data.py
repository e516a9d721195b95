import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import inspect, text

from fairground.platform.db.dialect import open_backend
from tests.entrypoints.cli.conftest import CommandLine
from tests.entrypoints.cli.test_imports import MAP, providers

NEWEST: Final = "1010"
"""Of the tables that all share: what the database, which other tests use after us, gets back."""


def execute(url: str, statement: str) -> None:
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def table_names(url: str) -> list[str]:
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    names = inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_upgrade_creates_the_tables_once_and_check_reports_them_current(cli: CommandLine, database_url: str) -> None:
    cli.set(DATABASE_URL=database_url)
    first, second, check = cli("db", "upgrade"), cli("db", "upgrade"), cli("db", "check")
    assert first.out.startswith("Updated: common, jobs, accounts, ")
    assert second.out == "The database is up to date.\n"
    assert check.code == 0
    assert "current" in check.out
    assert "behind" not in check.out


def test_database_behind_the_code_is_refused_with_the_upgrade_command(
    installed: CommandLine, migrated_url: str
) -> None:
    execute(migrated_url, "DELETE FROM common_alembic_version")
    try:
        assert installed("users", "list").refusal == "The database needs an upgrade. Run: fairground db upgrade"
        check = installed("db", "check")
        assert check.code == 1
        assert f"common           behind   - of {NEWEST}" in check.out
    finally:
        execute(migrated_url, f"INSERT INTO common_alembic_version VALUES ('{NEWEST}')")


def test_a_database_ahead_of_the_code_is_left_alone(installed: CommandLine, migrated_url: str) -> None:
    execute(migrated_url, "UPDATE common_alembic_version SET version_num = '9999'")
    try:
        for command in (["users", "list"], ["db", "upgrade"]):
            assert installed(*command).refusal.startswith("The database was upgraded by a newer version of Fairground.")
    finally:
        execute(migrated_url, f"UPDATE common_alembic_version SET version_num = '{NEWEST}'")


@pytest.mark.parametrize(
    "command",
    [
        "worker",
        "db upgrade",
        "demo --into-this-database",
        "import providers providers.jsonl",
        "export providers providers.jsonl",
        "search reindex",
        "users list",
    ],
)
def test_database_from_before_the_squash_is_refused_by_every_command(
    cli: CommandLine, database_url: str, command: str
) -> None:
    execute(database_url, "CREATE TABLE catalog_provider (id INTEGER)")
    cli.set(DATABASE_URL=database_url, HTTP_PORT="0")
    refusal = cli(*command.split()).refusal
    assert refusal.startswith(
        "This database is from an older version, before the revisions were squashed (it has the table catalog_"
    )
    assert table_names(database_url) == ["catalog_provider"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # other commands are refused on both
@pytest.mark.parametrize("command", ["up", "serve"])
def test_database_from_before_the_squash_is_refused_by_servers(
    cli: CommandLine, database_url: str, command: str
) -> None:
    execute(database_url, "CREATE TABLE catalog_provider (id INTEGER)")
    cli.set(DATABASE_URL=database_url, HTTP_PORT="0")
    # A process of its own, which ends with the socket that it listens on.
    program = "from fairground.entrypoints.cli import main; main()"
    server = subprocess.run([sys.executable, "-c", program, command], capture_output=True, text=True, check=False)
    assert server.returncode == 2
    assert server.stderr.startswith(
        "fairground: This database is from an older version, before the revisions were squashed (it has the"
    )
    assert server.stderr.count("\n") == 1
    assert table_names(database_url) == ["catalog_provider"]


def test_check_shows_what_is_squashed_and_the_way_out(installed: CommandLine, migrated_url: str) -> None:
    execute(migrated_url, "UPDATE common_alembic_version SET version_num = '0003'")
    try:
        check = installed("db", "check")
        assert check.code == 1
        assert f"common           squashed 0003 of {NEWEST}" in check.out
        assert check.err.startswith(
            "This database is from an older version, before the revisions were squashed (common is at revision"
        )
    finally:
        execute(migrated_url, f"UPDATE common_alembic_version SET version_num = '{NEWEST}'")


@contextmanager
def writing_pairs(file: Path) -> Iterator[None]:
    """Go on writing rows in twos, each two in one transaction, while the block runs."""
    stopped = threading.Event()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE pair (number INTEGER)")
        connection.commit()

    def write() -> None:
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            while not stopped.is_set():
                connection.execute("INSERT INTO pair VALUES (1)")
                connection.execute("INSERT INTO pair VALUES (2)")
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stopped.set()
        writer.join()


def test_backup_is_consistent_while_another_process_writes(cli: CommandLine, sqlite_template: Path) -> None:
    file = Path(shutil.copy(sqlite_template, cli.folder / "live.db"))
    cli.set(DATABASE_URL=f"sqlite:///{file}")
    with writing_pairs(file):
        outcomes = [cli("backup", f"copy{number}.db") for number in range(5)]
    assert [outcome.code for outcome in outcomes] == [0] * 5, outcomes
    for number in range(5):
        with closing(sqlite3.connect(cli.folder / f"copy{number}.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert copy.execute("SELECT count(*) % 2 FROM pair").fetchone() == (0,)
    assert not list(cli.folder.glob("*.partial"))


def test_a_copy_put_in_the_place_of_the_database_is_the_installation_again(
    cli: CommandLine, sqlite_template: Path
) -> None:
    cli.set(DATABASE_URL=f"sqlite:///{shutil.copy(sqlite_template, cli.folder / 'live.db')}")
    created = cli(
        *("users", "create", "--role", "admin", "--email", "ada@example.org", "--password-stdin"),
        stdin="seven quiet lanterns\n",
    )
    assert created.code == 0, created
    assert cli("backup", "copy.db").out.startswith("Backed up to copy.db (")
    cli.set(DATABASE_URL="sqlite:///copy.db")
    assert cli("db", "check").code == 0
    assert "ada@example.org" in cli("users", "list").out


def test_a_copy_never_replaces_a_file_and_needs_its_folder(installed: CommandLine) -> None:
    (installed.folder / "kept").write_text("mine")
    assert installed("backup", "kept").refusal.startswith("kept already exists.")
    assert (installed.folder / "kept").read_text() == "mine"
    assert installed("backup", "nowhere/copy").refusal.startswith("The folder nowhere does not exist.")


def test_a_copy_that_cannot_be_written_names_the_place(cli: CommandLine, sqlite_template: Path) -> None:
    cli.set(DATABASE_URL=f"sqlite:///{shutil.copy(sqlite_template, cli.folder / 'live.db')}")
    refusal = cli("backup", "/proc/copy.db").refusal
    assert "to /proc/copy.db: " in refusal
    assert "Choose a writable folder" in refusal


def test_a_copy_of_postgresql_is_what_pg_restore_reads(cli: CommandLine, postgres_database: str) -> None:
    cli.set(DATABASE_URL=postgres_database)
    outcome = cli("backup", "copy.dump")
    if outcome.code:
        # Here is no pg_dump, or one that is older than the server: said in one sentence, and nothing is left behind.
        assert "pg_dump" in outcome.refusal
        assert not list(cli.folder.iterdir())
        return
    listed = subprocess.run(["pg_restore", "--list", "copy.dump"], capture_output=True, text=True, check=True)
    assert "TABLE DATA public booking_booking" in listed.stdout


def test_file_that_is_no_database_is_refused(cli: CommandLine) -> None:
    (cli.folder / "letter.db").write_text("Dear Ada")
    cli.set(DATABASE_URL="sqlite:///letter.db")
    for command in (["db", "check"], ["db", "upgrade"], ["users", "list"]):
        assert "file is not a database" in cli(*command).refusal
    assert (cli.folder / "letter.db").read_text() == "Dear Ada"


@pytest.mark.parametrize("command", ["users list", "db upgrade", "backup copy"])
def test_unreachable_server_is_refused_with_its_reason(cli: CommandLine, command: str) -> None:
    cli.set(DATABASE_URL="postgresql://user@127.0.0.1:1/nothing")
    refusal = cli(*command.split()).refusal
    assert "pg_dump" in refusal or "Connection refused" in refusal or "connection failed" in refusal


ROWS = "id,name,price\n" + "".join(f"{number},Trio {number},450\n" for number in range(520))


def test_reindex_covers_all_providers_and_can_be_repeated(installed: CommandLine) -> None:
    assert installed("search", "reindex").out == "Checked 0 providers. The search index is up to date.\n"
    (installed.folder / "MAP.toml").write_text(MAP)
    (installed.folder / "acts.csv").write_text(ROWS)
    assert installed(*providers()).code == 0
    for _ in range(2):
        assert installed("search", "reindex").out == "Checked 520 providers. The search index is up to date.\n"
