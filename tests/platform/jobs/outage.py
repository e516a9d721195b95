"""Take a database away for a while, as its failure or a long write of another process would."""

import contextlib
import sqlite3
from collections.abc import Iterator
from unittest.mock import patch
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from fairground.platform.db.dialect import sqlite_transactions


@contextlib.contextmanager
def outage(database_url: str) -> Iterator[None]:
    """Keep every process from writing to the database while the block runs."""
    if database_url.startswith("sqlite"):
        short_wait = patch.object(sqlite_transactions, "BUSY_TIMEOUT_SECONDS", 0.1)
        with short_wait, contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    parts = urlsplit(database_url)
    name = parts.path.removeprefix("/")
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as admin:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
