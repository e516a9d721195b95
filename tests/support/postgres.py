"""Databases on the one PostgreSQL server of a run: created and marked by tests; no other database is ever emptied."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tools.guardian import Server

MARK: Final = "Made by the Fairground tests, which may empty or drop it at any time."

# A server process that an earlier test has left must fail the run, not block it.
LOCK_TIMEOUT: Final = "10s"


@contextlib.contextmanager
def fresh_database(server: Server) -> Iterator[str]:
    """Make a marked database without any tables, give its URL, and drop it afterwards."""
    name = f"fairground_test_{uuid.uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(identifier, sql.Literal(MARK)))
    try:
        yield url_of(server, name)
    finally:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def url_of(server: Server, name: str) -> str:
    """Return the URL of another database on the same server."""
    parts = psycopg.conninfo.conninfo_to_dict(server.url)
    password = f":{parts['password']}" if parts.get("password") else ""
    return f"postgresql://{parts['user']}{password}@{parts['host']}:{parts.get('port', 5432)}/{name}"


def empty(url: str) -> None:
    """Delete every row of every table but the migration histories.

    Raises:
        PermissionError: We did not make this database.
    """
    with psycopg.connect(make_conninfo(url)) as connection:
        _delete_rows(connection)


class Emptier:
    """Empties one database before each test.

    It keeps its connection: with a new one the server loads its catalog of every table again, six times the work.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(make_conninfo(url), autocommit=True)

    def empty(self) -> None:
        """Delete all rows, as the function `empty` does."""
        try:
            self._delete_rows()
        except psycopg.OperationalError:
            # Some tests end all connections to their database, and ours with them.
            if not self._connection.closed:
                raise
            self._connection = psycopg.connect(make_conninfo(self.url), autocommit=True)
            self._delete_rows()

    def close(self) -> None:
        self._connection.close()

    def _delete_rows(self) -> None:
        with self._connection.transaction():
            _delete_rows(self._connection)


def _delete_rows(connection: psycopg.Connection[Any]) -> None:
    """Delete all in the transaction that is open.

    DELETE, because TRUNCATE of sixty empty tables takes two hundred times as long. Foreign keys and append-only
    triggers are switched off for it, which needs a superuser.
    """
    refuse_unless_marked(connection)
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
    connection.execute("SET LOCAL session_replication_role = replica")
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%alembic_version'"
    )
    tables = [sql.Identifier(name) for (name,) in rows]
    if tables:
        deletes = [sql.SQL("DELETE FROM {}").format(table) for table in tables]
        connection.execute(sql.SQL("; ").join(deletes))


def refuse_unless_marked(connection: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT current_database(), shobj_description(oid, 'pg_database') "
        "FROM pg_database WHERE datname = current_database()"
    )
    name, comment = connection.execute(query).fetchone()  # type: ignore[misc]
    if comment != MARK:
        raise PermissionError(f"The tests did not make the database {name!r}, so they do not empty it.")
